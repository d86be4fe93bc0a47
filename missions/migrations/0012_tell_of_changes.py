"""The database itself writes down what changed, in the transaction of the change.

So neither the recording statement nor the ORM can forget it. A row says only what and which;
its number comes later, when it is committed (feed.py).

mission.assigned: somebody was given the mission, at first or by a hand-over. mission.changed:
its version rose by something that no other change tells of; once in a transaction and
mission, which a variable of the transaction remembers for the mission that was last told of
(a savepoint that is rolled back takes it back too).
"""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION missions_tell(employer int, type text, object uuid, mission uuid)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO missions_change (uuid, employer_id, type, object_uuid, mission_uuid)
    VALUES (gen_random_uuid(), employer, type, object, mission);
$$;

CREATE FUNCTION missions_tell_of_mission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM missions_tell(NEW.employer_id, 'mission.created', NEW.uuid, NEW.uuid);
    ELSIF NEW.status <> OLD.status AND NEW.status IN ('started', 'completed', 'cancelled') THEN
        PERFORM missions_tell(NEW.employer_id, 'mission.' || NEW.status, NEW.uuid, NEW.uuid);
    ELSIF current_setting('milepost.told', true) IS DISTINCT FROM NEW.uuid::text THEN
        PERFORM missions_tell(NEW.employer_id, 'mission.changed', NEW.uuid, NEW.uuid);
    END IF;
    PERFORM set_config('milepost.told', NEW.uuid::text, true);
    RETURN NULL;
END $$;

CREATE FUNCTION missions_tell_of_assignment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE mission uuid;
BEGIN
    SELECT m.uuid INTO mission FROM missions_mission m WHERE m.id = NEW.mission_id;
    PERFORM missions_tell(NEW.employer_id, 'mission.assigned', mission, mission);
    PERFORM set_config('milepost.told', mission::text, true);
    RETURN NULL;
END $$;

-- For all rows of a statement at once: phones' stages come by the hundred.
CREATE FUNCTION missions_tell_of_stages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO missions_change (uuid, employer_id, type, object_uuid, mission_uuid)
    SELECT gen_random_uuid(), s.employer_id, t.type, s.uuid,
           (SELECT m.uuid FROM missions_mission m WHERE m.id = s.mission_id)
      FROM stored s
     CROSS JOIN LATERAL (
        SELECT CASE WHEN s.corrects_id IS NULL THEN 'stage.recorded' ELSE 'stage.corrected' END
        UNION ALL
        SELECT 'exception.raised' WHERE s.stage = 20 AND s.corrects_id IS NULL
     ) t (type)
     ORDER BY s.id;
    RETURN NULL;
END $$;

-- Of a photo, a signature or an issued proof: TG_ARGV[0] is what to say.
CREATE FUNCTION missions_tell_of_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missions_tell(NEW.employer_id, TG_ARGV[0], NEW.uuid, m.uuid)
       FROM missions_mission m WHERE m.id = NEW.mission_id;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_of_new_mission AFTER INSERT ON missions_mission
    FOR EACH ROW EXECUTE FUNCTION missions_tell_of_mission();
CREATE TRIGGER tell_of_mission AFTER UPDATE ON missions_mission
    FOR EACH ROW WHEN (NEW.version <> OLD.version OR NEW.status <> OLD.status)
    EXECUTE FUNCTION missions_tell_of_mission();
CREATE TRIGGER tell_of_assignment AFTER INSERT ON missions_missionassignment
    FOR EACH ROW EXECUTE FUNCTION missions_tell_of_assignment();
CREATE TRIGGER tell_of_stages AFTER INSERT ON missions_stageevent
    REFERENCING NEW TABLE AS stored
    FOR EACH STATEMENT EXECUTE FUNCTION missions_tell_of_stages();
CREATE TRIGGER tell_of_attachment AFTER INSERT ON missions_attachment
    FOR EACH ROW EXECUTE FUNCTION missions_tell_of_evidence('attachment.added');
CREATE TRIGGER tell_of_signature AFTER INSERT ON missions_signature
    FOR EACH ROW EXECUTE FUNCTION missions_tell_of_evidence('signature.added');
CREATE TRIGGER tell_of_issued_proof AFTER INSERT ON missions_proofofdelivery
    FOR EACH ROW WHEN (NEW.issued_at IS NOT NULL)
    EXECUTE FUNCTION missions_tell_of_evidence('pod.ready');
CREATE TRIGGER tell_of_proof AFTER UPDATE ON missions_proofofdelivery
    FOR EACH ROW WHEN (OLD.issued_at IS NULL AND NEW.issued_at IS NOT NULL)
    EXECUTE FUNCTION missions_tell_of_evidence('pod.ready');
"""

NO_TRIGGERS = """
DROP TRIGGER tell_of_new_mission ON missions_mission;
DROP TRIGGER tell_of_mission ON missions_mission;
DROP TRIGGER tell_of_assignment ON missions_missionassignment;
DROP TRIGGER tell_of_stages ON missions_stageevent;
DROP TRIGGER tell_of_attachment ON missions_attachment;
DROP TRIGGER tell_of_signature ON missions_signature;
DROP TRIGGER tell_of_issued_proof ON missions_proofofdelivery;
DROP TRIGGER tell_of_proof ON missions_proofofdelivery;
DROP FUNCTION missions_tell_of_mission;
DROP FUNCTION missions_tell_of_assignment;
DROP FUNCTION missions_tell_of_stages;
DROP FUNCTION missions_tell_of_evidence;
DROP FUNCTION missions_tell;
"""


class Migration(migrations.Migration):
    dependencies = [("missions", "0011_add_results_of_stages")]

    operations = [migrations.RunSQL(TRIGGERS, NO_TRIGGERS)]
