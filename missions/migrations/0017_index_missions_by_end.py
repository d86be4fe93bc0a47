"""Find the missions of today without reading those of all the days before."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    # There may be years of missions, and phones go on opening them meanwhile.
    atomic = False

    dependencies = [("missions", "0016_share_and_save")]

    operations = [
        AddIndexConcurrently(
            model_name="mission",
            index=models.Index(
                models.F("employer"),
                Coalesce(
                    "ended_at",
                    "planned_end_at",
                    Coalesce("opened_at", "planned_start_at", "created_at"),
                ),
                name="missions_by_end",
            ),
        ),
    ]
