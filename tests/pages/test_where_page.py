"""The page that says who was where: what it takes, what it answers, who may open it."""

import pytest
from django.test import Client

from accounts.models import Driver, Look, User
from tests.cast import Phone, put_fixes
from tests.tracking.reading import drive

pytestmark = pytest.mark.django_db
WHERE = "/where"
ASKED = {"place": "50.85, 4.421", "date": "2026-11-24", "begin": "09:00", "end": "10:00"}


@pytest.fixture
def desk(client: Client, dee: User) -> Client:
    client.force_login(dee)
    return client


def test_a_dispatcher_is_told_who_was_there(
    desk: Client, ada_phone: Phone, ada: Driver
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    answer = desk.get(WHERE, ASKED)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Ada Peeters" in text
    assert Look.objects.get().driver == ada
