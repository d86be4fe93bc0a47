"""An assignment's open period follows its mission, whoever writes.

The recording statement (SQL) and the dispatcher's pages (ORM) both open and end missions
and move assignments; a trigger is the one place that neither can forget.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION missions_open_period(period tstzrange, opened_at timestamptz, ended_at timestamptz)
RETURNS tstzrange LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN opened_at IS NOT NULL THEN period * tstzrange(opened_at, ended_at, '[]') END
$$;

CREATE FUNCTION missions_assignment_follows_mission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT missions_open_period(NEW.period, m.opened_at, m.ended_at) INTO NEW.open_period
      FROM missions_mission m WHERE m.id = NEW.mission_id;
    RETURN NEW;
END $$;

CREATE TRIGGER assignment_follows_mission BEFORE INSERT OR UPDATE OF period, mission_id
    ON missions_missionassignment FOR EACH ROW
    EXECUTE FUNCTION missions_assignment_follows_mission();

CREATE FUNCTION missions_mission_moves_assignments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE missions_missionassignment
       SET open_period = missions_open_period(period, NEW.opened_at, NEW.ended_at)
     WHERE mission_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER mission_moves_assignments AFTER UPDATE OF opened_at, ended_at
    ON missions_mission FOR EACH ROW
    WHEN (OLD.opened_at IS DISTINCT FROM NEW.opened_at OR OLD.ended_at IS DISTINCT FROM NEW.ended_at)
    EXECUTE FUNCTION missions_mission_moves_assignments();
"""

NO_FUNCTIONS = """
DROP TRIGGER mission_moves_assignments ON missions_mission;
DROP FUNCTION missions_mission_moves_assignments;
DROP TRIGGER assignment_follows_mission ON missions_missionassignment;
DROP FUNCTION missions_assignment_follows_mission;
DROP FUNCTION missions_open_period;
"""


class Migration(migrations.Migration):
    dependencies = [("missions", "0002_keep_tenants_apart")]

    operations = [migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS)]
