"""The sweep of files that no row names looks every name up, in every column that holds some."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("missions", "0014_claim_deliveries")]

    operations = [
        migrations.AddIndex(
            "attachment", models.Index(fields=["file"], name="attachments_by_file")
        ),
        migrations.AddIndex(
            "attachment",
            models.Index(
                fields=["thumbnail"], condition=~Q(thumbnail=""), name="attachments_by_thumbnail"
            ),
        ),
        migrations.AddIndex(
            "signature",
            models.Index(fields=["image"], condition=~Q(image=""), name="signatures_by_image"),
        ),
        migrations.AddIndex(
            "proofofdelivery",
            models.Index(fields=["pdf"], condition=~Q(pdf=""), name="proofs_by_pdf"),
        ),
    ]
