"""Keep with a checked table which version of each mission it was compared with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("missions", "0012_tell_of_changes")]

    operations = [
        migrations.AddField(
            model_name="missionimport",
            name="versions",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
