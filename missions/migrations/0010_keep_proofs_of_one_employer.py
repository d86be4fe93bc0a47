"""The walls between employers, for what proves and what is told."""

from django.db import migrations

from accounts.tenancy import SameEmployer


class Migration(migrations.Migration):
    dependencies = [("missions", "0009_add_proofs")]

    operations = [
        SameEmployer("missions_goodsline", "stop_id", "missions_stop"),
        SameEmployer("missions_attachment", "driver_id", "accounts_driver"),
        SameEmployer("missions_attachment", "device_id", "accounts_device"),
        SameEmployer("missions_attachment", "mission_id", "missions_mission"),
        SameEmployer("missions_attachment", "stop_id", "missions_stop"),
        SameEmployer("missions_signature", "driver_id", "accounts_driver"),
        SameEmployer("missions_signature", "device_id", "accounts_device"),
        SameEmployer("missions_signature", "mission_id", "missions_mission"),
        SameEmployer("missions_signature", "stop_id", "missions_stop"),
        SameEmployer("missions_proofofdelivery", "mission_id", "missions_mission"),
        SameEmployer("missions_proofofdelivery", "stop_id", "missions_stop"),
        SameEmployer("missions_proofofdelivery", "superseded_by_id", "missions_proofofdelivery"),
        SameEmployer("missions_webhooksecret", "endpoint_id", "missions_webhookendpoint"),
        SameEmployer("missions_webhookdelivery", "endpoint_id", "missions_webhookendpoint"),
        SameEmployer("missions_webhookdelivery", "change_id", "missions_change"),
        SameEmployer("missions_webhookattempt", "delivery_id", "missions_webhookdelivery"),
    ]
