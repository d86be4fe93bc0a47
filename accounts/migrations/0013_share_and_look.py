"""Employers may share a stop; users may switch shortcuts off; looks are written down."""

import uuid

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from accounts.tenancy import SameEmployer


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_phones_name_their_app"),
    ]

    operations = [
        migrations.AddField(
            model_name="employer",
            name="is_share_enabled",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="employer",
            name="is_shared_position_exact",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="user",
            name="has_shortcuts",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor", models.UUIDField(blank=True, null=True)),
                ("roles", models.CharField(blank=True, max_length=60)),
                ("page", models.CharField(max_length=40)),
                ("seen_period", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "looked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "driver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="looks",
                        to="accounts.driver",
                    ),
                ),
                (
                    "employer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.employer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["driver", "-id"], name="looks_at_a_driver")],
            },
        ),
        SameEmployer("accounts_look", "driver_id", "accounts_driver"),
    ]
