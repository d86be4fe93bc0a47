"""The partitioned table of fixes, the spacing rule, and the walls between employers.

Columns are ordered by width, so that a row carries no padding: 96 bytes with accuracy,
speed, heading and battery, which are whole numbers finer than any phone measures. The primary key is the only index. The months themselves are
made by `manage.py make_partitions`, at start and by the schedule.
"""

from django.db import migrations

from accounts.tenancy import SameEmployer

FIXES = """
CREATE TABLE tracking_fix (
    recorded_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    fix_id       bigint      NOT NULL,
    driver_id    integer     NOT NULL,
    employer_id  integer     NOT NULL,
    device_id    integer     NOT NULL,
    latitude_e7  integer     NOT NULL CHECK (latitude_e7 BETWEEN -900000000 AND 900000000),
    longitude_e7 integer     NOT NULL CHECK (longitude_e7 BETWEEN -1800000000 AND 1800000000),
    kind         smallint    NOT NULL,
    link_source  smallint    NOT NULL DEFAULT 0,
    truck_id     integer,
    mission_id   integer,
    accuracy_dm  smallint,
    speed_cmps   smallint,
    heading_ddeg smallint,
    battery_e4   smallint,
    altitude_m   real,
    odometer_m   integer,
    flags        smallint,
    PRIMARY KEY (driver_id, recorded_at, fix_id)
) PARTITION BY RANGE (recorded_at);
"""

# A window aggregate: walks one driver's fixes in order of time and says of each whether it
# is kept. Its state is the newest kept fix: {microseconds, latitude, longitude, kept}.
# `prior_*` is the newest fix already stored before this one; the newer of the two counts.
# Inexact on purpose: an equirectangular distance, right to a metre at 500 m.
SPACING = """
CREATE FUNCTION tracking_keep_spaced(
    state float8[], at_us bigint, latitude_e7 integer, longitude_e7 integer, is_spaced boolean,
    is_stored boolean, spacing_m float8,
    prior_at_us bigint, prior_latitude_e7 integer, prior_longitude_e7 integer
) RETURNS float8[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    near_latitude float8 := state[2];
    near_longitude float8 := state[3];
    is_kept boolean := true;
    north_m float8;
    east_m float8;
BEGIN
    IF prior_at_us IS NOT NULL AND (state IS NULL OR prior_at_us > state[1]) THEN
        near_latitude := prior_latitude_e7;
        near_longitude := prior_longitude_e7;
    END IF;
    IF is_spaced AND NOT is_stored AND near_latitude IS NOT NULL THEN
        north_m := (latitude_e7 - near_latitude) * 0.011119492664456;
        east_m := (longitude_e7 - near_longitude) * 0.011119492664456
                  * cosd((latitude_e7 + near_latitude) / 2e7);
        is_kept := north_m * north_m + east_m * east_m >= spacing_m * spacing_m;
    END IF;
    IF is_kept THEN
        RETURN ARRAY[at_us, latitude_e7, longitude_e7, 1];
    END IF;
    IF state IS NULL OR prior_at_us > state[1] THEN
        RETURN ARRAY[prior_at_us, near_latitude, near_longitude, 0];
    END IF;
    RETURN ARRAY[state[1], state[2], state[3], 0];
END $$;

CREATE FUNCTION tracking_is_kept(state float8[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT state[4] = 1 $$;

CREATE AGGREGATE tracking_is_spaced(
    bigint, integer, integer, boolean, boolean, float8, bigint, integer, integer
) (SFUNC = tracking_keep_spaced, STYPE = float8[], FINALFUNC = tracking_is_kept);
"""

# What spacing needs to know of the table, asked only for employers who want it: inside the
# recording statement itself the look-ups would open every month for every group.
SPACING_BEFORE = """
CREATE FUNCTION tracking_spacing_before(
    wanted_driver_id integer, wanted_at timestamptz, wanted_fix_id bigint,
    OUT is_stored boolean, OUT at_us bigint, OUT latitude_e7 integer, OUT longitude_e7 integer
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    is_stored := EXISTS (
        SELECT FROM tracking_fix x
         WHERE x.driver_id = wanted_driver_id AND x.recorded_at = wanted_at
           AND x.fix_id = wanted_fix_id);
    SELECT (extract(epoch FROM x.recorded_at) * 1000000)::int8, x.latitude_e7, x.longitude_e7
      INTO at_us, latitude_e7, longitude_e7
      FROM tracking_fix x
     WHERE x.driver_id = wanted_driver_id AND x.recorded_at < wanted_at
     ORDER BY x.recorded_at DESC, x.fix_id DESC LIMIT 1;
END $$;
"""

# The words for the letters of record.sql that mean "not stored".
REASONS = """
CREATE FUNCTION tracking_unstored_reason(letter text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE letter WHEN 'T' THEN 'thinned' WHEN 'O' THEN 'outside_window'
                       WHEN 'F' THEN 'driver_frozen' WHEN 'N' THEN 'no_driver'
                       ELSE 'recorded_at_too_old' END
$$;
"""

NO_SPACING = """
DROP AGGREGATE tracking_is_spaced(
    bigint, integer, integer, boolean, boolean, float8, bigint, integer, integer);
DROP FUNCTION tracking_is_kept;
DROP FUNCTION tracking_keep_spaced;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0001_initial"),
        ("accounts", "0002_keep_tenants_apart"),
        ("missions", "0003_keep_open_periods"),
    ]

    operations = [
        migrations.RunSQL(FIXES, "DROP TABLE tracking_fix"),
        migrations.RunSQL(SPACING, NO_SPACING),
        migrations.RunSQL(SPACING_BEFORE, "DROP FUNCTION tracking_spacing_before"),
        migrations.RunSQL(REASONS, "DROP FUNCTION tracking_unstored_reason"),
        SameEmployer("tracking_quarantinedfix", "device_id", "accounts_device"),
        SameEmployer("tracking_quarantinedfix", "driver_id", "accounts_driver"),
        SameEmployer("tracking_unstoredcount", "device_id", "accounts_device"),
    ]
