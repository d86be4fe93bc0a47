"""Sign so many dispatchers in at an employer, for measurements of pages.

    python -m tests.make_dispatchers EMPLOYER_ID COUNT

Prints a JSON list of session keys: what a browser keeps as its cookie.
"""

import json
import sys

# Sets Django up.
from tests.make_fleet import make_fleet  # noqa: F401  # isort: skip

from django.test import Client

from accounts.models import Membership, Role, User

if __name__ == "__main__":
    keys = []
    for number in range(int(sys.argv[2])):
        user = User.objects.create_user(f"dispatcher-{number}@example.org")
        Membership.objects.create(user=user, employer_id=int(sys.argv[1]), role=Role.DISPATCHER)
        client = Client()
        client.force_login(user)
        keys.append(client.session.session_key)
    sys.stdout.write(json.dumps(keys))
