"""An audit entry is never edited. Deleting stays possible: entries have an end date too."""

from django.db import migrations

GUARD = """
CREATE FUNCTION accounts_refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entries_are_append_only BEFORE UPDATE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_edit();
"""

NO_GUARD = """
DROP TRIGGER audit_entries_are_append_only ON accounts_auditentry;
DROP FUNCTION accounts_refuse_edit;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_index_periods_by_end")]

    operations = [migrations.RunSQL(GUARD, NO_GUARD)]
