"""A mission may name its truck before it has a driver."""

import django.db.models.deletion
from django.db import migrations, models

from accounts.tenancy import SameEmployer


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_keep_tenants_apart"),
        ("missions", "0003_keep_open_periods"),
    ]

    operations = [
        migrations.AddField(
            model_name="mission",
            name="planned_truck",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.truck",
            ),
        ),
        SameEmployer("missions_mission", "planned_truck_id", "accounts_truck"),
    ]
