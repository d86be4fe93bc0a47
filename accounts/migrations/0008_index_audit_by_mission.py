"""Find what was changed of a mission without reading the whole trail."""

import django.db.models.fields.json
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The trail may be long, and every change waits for a lock on it.
    atomic = False

    dependencies = [("accounts", "0007_count_tries_of_any_kind")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                django.db.models.fields.json.KeyTextTransform("mission", "detail"),
                models.F("id"),
                condition=models.Q(("detail__has_key", "mission")),
                name="audit_by_mission",
            ),
        ),
    ]
