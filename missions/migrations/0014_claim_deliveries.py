"""Claims of deliveries, an index to find the due ones of an endpoint, one delay per stop."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("missions", "0013_keep_versions_of_imports")]

    operations = [
        migrations.AddField(
            model_name="webhookdelivery",
            name="claimed_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RemoveIndex(model_name="webhookdelivery", name="deliveries_due"),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["endpoint", "next_at"],
                condition=Q(state="waiting"),
                name="deliveries_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(
                fields=["object_uuid"],
                condition=Q(type="mission.delayed"),
                name="a_stop_is_called_late_once",
            ),
        ),
    ]
