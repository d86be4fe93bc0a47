from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_add_punctuality")]

    operations = [migrations.RenameModel("PairingAttempt", "Tries")]
