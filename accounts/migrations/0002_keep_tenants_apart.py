"""The database refuses a link between two employers."""

from django.db import migrations

from accounts.tenancy import SameEmployer


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        SameEmployer("accounts_truckassignment", "truck_id", "accounts_truck"),
        SameEmployer("accounts_truckassignment", "driver_id", "accounts_driver"),
        SameEmployer("accounts_devicetoken", "device_id", "accounts_device"),
        SameEmployer("accounts_deviceholding", "device_id", "accounts_device"),
        SameEmployer("accounts_deviceholding", "driver_id", "accounts_driver"),
        SameEmployer("accounts_pairingcode", "driver_id", "accounts_driver"),
        SameEmployer("accounts_dutymark", "driver_id", "accounts_driver"),
    ]
