"""Let a phone's platform hold the name of every app; longer text, no rewrite of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_leave_erased_drivers_out")]

    operations = [
        migrations.AlterField(
            model_name="device",
            name="platform",
            field=models.CharField(blank=True, max_length=40),
        ),
    ]
