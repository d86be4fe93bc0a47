"""A mission knows its newest stage, whoever recorded it (see models.py for why)."""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION missions_stage_reaches_mission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE missions_mission SET last_stage_at = greatest(last_stage_at, NEW.recorded_at)
     WHERE id = NEW.mission_id
       AND (last_stage_at IS NULL OR last_stage_at < NEW.recorded_at);
    RETURN NULL;
END $$;

CREATE TRIGGER stage_reaches_mission AFTER INSERT ON missions_stageevent
    FOR EACH ROW WHEN (NEW.mission_id IS NOT NULL)
    EXECUTE FUNCTION missions_stage_reaches_mission();
"""

NO_TRIGGER = """
DROP TRIGGER stage_reaches_mission ON missions_stageevent;
DROP FUNCTION missions_stage_reaches_mission;
"""


class Migration(migrations.Migration):
    dependencies = [("missions", "0006_add_last_stage_at")]

    operations = [migrations.RunSQL(TRIGGER, NO_TRIGGER)]
