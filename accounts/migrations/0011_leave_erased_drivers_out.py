"""Let erased drivers' truck assignments overlap: `int8range(NULL, NULL)` overlaps every id.

Both in one transaction: at no moment does a driver have two trucks.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import migrations, models

from accounts.periods import SameId


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_keep_answers")]

    operations = [
        migrations.RemoveConstraint("truckassignment", "one_truck_per_driver_at_a_time"),
        migrations.AddConstraint(
            "truckassignment",
            ExclusionConstraint(
                name="one_truck_per_driver_at_a_time",
                expressions=[(SameId("driver_id"), "&&"), (models.F("period"), "&&")],
                condition=models.Q(driver_id__isnull=False),
            ),
        ),
    ]
