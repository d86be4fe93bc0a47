"""The database refuses a link between two employers."""

from django.db import migrations

from accounts.tenancy import SameEmployer


class Migration(migrations.Migration):
    dependencies = [("missions", "0001_initial")]

    operations = [
        SameEmployer("missions_missionassignment", "mission_id", "missions_mission"),
        SameEmployer("missions_missionassignment", "driver_id", "accounts_driver"),
        SameEmployer("missions_missionassignment", "truck_id", "accounts_truck"),
        SameEmployer("missions_stop", "mission_id", "missions_mission"),
        SameEmployer("missions_stop", "site_id", "missions_site"),
        SameEmployer("missions_stageevent", "driver_id", "accounts_driver"),
        SameEmployer("missions_stageevent", "truck_id", "accounts_truck"),
        SameEmployer("missions_stageevent", "mission_id", "missions_mission"),
        SameEmployer("missions_stageevent", "stop_id", "missions_stop"),
    ]
