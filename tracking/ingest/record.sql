-- Record one group of requests in one transaction: its duty marks, then the stages that name
-- a mission, then the other stages (each only if the group has any), since what is on duty
-- and which mission is open must be settled before their neighbours are judged; then, where
-- a stage changed since when a mission is open, the fixes that came before that stage are
-- linked by what is known now (RELINK); then all fixes. The first three are one statement,
-- STAGES, on other rows. recording.py cuts this file at its headings and puts SENDERS before
-- STAGES and FIXES.
--
-- Every stored table is reached by itself through LATERAL (… OFFSET 0), so that it is always
-- an index look-up for a few rows; what has been looked up is joined by hash. The connection
-- plans once (force_generic_plan) and knows no sizes: see recording.py.
--
-- Order of locks: drivers by id (FOR KEY SHARE: freezing takes FOR UPDATE, so a freeze waits
-- or wins), then missions by id, then assignments by id, then fixes by key.

-- == SENDERS
-- Who posts: token -> phone -> employer, and the drivers who carried the phone during the
-- time the request spans.
WITH request AS MATERIALIZED (
    SELECT r.no, d.id AS device_id, e.id AS employer_id, e.tracking_window, e.min_spacing_m,
           e.route_months,
           'epoch'::timestamptz + r.first_us * interval '1 microsecond' AS first_at,
           'epoch'::timestamptz + r.last_us * interval '1 microsecond' AS last_at
      FROM unnest(%(tokens)s::bytea[], %(first_us)s::int8[], %(last_us)s::int8[],
                  %(is_foreign)s::bool[])
           WITH ORDINALITY AS r(token_hash, first_us, last_us, is_foreign, no)
     CROSS JOIN LATERAL (
        SELECT t.device_id FROM accounts_devicetoken t
         WHERE t.token_hash = r.token_hash AND (t.scope = 'ingest' OR NOT r.is_foreign)
           AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
        OFFSET 0) t
     CROSS JOIN LATERAL (
        SELECT d.id, d.employer_id FROM accounts_device d
         WHERE d.id = t.device_id AND d.revoked_at IS NULL
        OFFSET 0) d
     CROSS JOIN LATERAL (
        SELECT e.id, e.tracking_window, e.min_spacing_m, e.route_months
          FROM accounts_employer e WHERE e.id = d.employer_id
        OFFSET 0) e
),
holding AS MATERIALIZED (
    SELECT r.no, h.driver_id, h.period, r.employer_id, r.first_at, r.last_at
      FROM request r
     CROSS JOIN LATERAL (
        SELECT h.driver_id, h.period
          FROM accounts_deviceholding h
         WHERE h.device_id = r.device_id
           AND (h.period && tstzrange(r.first_at, r.last_at, '[]')
                OR h.period @> statement_timestamp())
        OFFSET 0) h
),
driver AS MATERIALIZED (
    SELECT d.id, d.frozen_at
      FROM accounts_driver d
     WHERE d.id = ANY (ARRAY(SELECT driver_id FROM holding))
     ORDER BY d.id
       FOR KEY SHARE
),
-- == STAGES
-- Stages and duty marks. `sent` has one row for each; the answer has a letter for each.
sent AS MATERIALIZED (
    SELECT s.*, s.accuracy_dm / 10::float8 AS accuracy_m,
           'epoch'::timestamptz + s.recorded_at_us * interval '1 microsecond' AS recorded_at
      FROM unnest(%(request)s::int4[], %(recorded_at_us)s::int8[], %(fix_id)s::int8[],
                  %(kind)s::int2[], %(latitude_e7)s::int4[], %(longitude_e7)s::int4[],
                  %(accuracy_dm)s::int2[], %(position_recorded_at_us)s::int8[],
                  %(odometer_m)s::int4[], %(mission)s::text[], %(mission_uuid)s::uuid[],
                  %(stop)s::text[], %(stop_uuid)s::uuid[], %(reason)s::text[], %(result)s::text[],
                  %(ends_mission)s::bool[], %(client_id)s::text[], %(note)s::text[])
           WITH ORDINALITY AS s(request, recorded_at_us, fix_id, kind, latitude_e7, longitude_e7,
                                accuracy_dm, position_recorded_at_us, odometer_m, mission,
                                mission_uuid, stop, stop_uuid, reason, result, ends_mission,
                                client_id, note, n)
),
resolved AS MATERIALIZED (
    SELECT s.*, r.employer_id, r.device_id, r.tracking_window, h.driver_id, d.frozen_at,
           CASE WHEN h.driver_id IS NULL THEN 'N'
                WHEN d.frozen_at IS NOT NULL THEN 'F'
                WHEN %(has_route_period)s AND s.recorded_at
                     < statement_timestamp() - make_interval(months => r.route_months::int) THEN 'P'
           END AS refused
      FROM sent s
      JOIN request r ON r.no = s.request
      LEFT JOIN holding h ON h.no = s.request AND h.period @> s.recorded_at
      LEFT JOIN driver d ON d.id = h.driver_id
),
marked AS (
    INSERT INTO accounts_dutymark (employer_id, driver_id, kind, recorded_at, received_at, source)
    SELECT employer_id, driver_id, kind, recorded_at, statement_timestamp(), 'driver'
      FROM resolved
     WHERE kind >= 30 AND refused IS NULL
     ORDER BY driver_id, recorded_at, kind
    ON CONFLICT DO NOTHING
    RETURNING driver_id, recorded_at, kind
),
-- The system ends a duty that has gone silent; the driver's own end shows that it guessed.
taken_back AS (
    DELETE FROM accounts_dutymark
     WHERE id = ANY (ARRAY(
        SELECT k.id
          FROM resolved s
         CROSS JOIN LATERAL (
            SELECT k.id, k.kind, k.source, k.recorded_at FROM accounts_dutymark k
             WHERE k.driver_id = s.driver_id AND k.recorded_at < s.recorded_at
               AND k.kind IN (30, 31)
             ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1) k
         WHERE s.kind = 31 AND s.refused IS NULL AND k.kind = 31 AND k.source = 'automatic'
           AND NOT EXISTS (SELECT FROM resolved g
                            WHERE g.driver_id = s.driver_id AND g.kind = 30
                              AND g.recorded_at > k.recorded_at
                              AND g.recorded_at <= s.recorded_at)))
    RETURNING id
),
-- The mission that a stage names, if it is that driver's then.
named AS MATERIALIZED (
    SELECT s.n, m.id AS mission_id, a.truck_id, m.status
      FROM resolved s
     CROSS JOIN LATERAL (
        SELECT m.id, m.status FROM missions_mission m
         WHERE m.employer_id = s.employer_id AND m.external_id = s.mission
         UNION ALL
        SELECT m.id, m.status FROM missions_mission m
         WHERE m.uuid = s.mission_uuid AND m.employer_id = s.employer_id
         LIMIT 1) m
     CROSS JOIN LATERAL (
        SELECT a.truck_id FROM missions_missionassignment a
         WHERE a.mission_id = m.id AND a.driver_id = s.driver_id AND a.period @> s.recorded_at
        OFFSET 0) a
     WHERE s.mission IS NOT NULL AND s.kind < 30 AND s.refused IS NULL
),
-- The missions a driver has open at each stage.
open_mission AS MATERIALIZED (
    SELECT s.n, o.mission_id, o.truck_id
      FROM resolved s
     CROSS JOIN LATERAL (
        SELECT a.mission_id, a.truck_id
          FROM missions_missionassignment a
         WHERE a.driver_id + 0 = s.driver_id AND a.open_period @> s.recorded_at
           AND coalesce(upper(a.open_period), 'infinity') >= s.recorded_at
           AND a.open_period IS NOT NULL
        OFFSET 0) o
     WHERE s.kind < 30 AND s.refused IS NULL
),
only_open AS MATERIALIZED (
    SELECT n, min(mission_id) AS mission_id, min(truck_id) AS truck_id
      FROM open_mission GROUP BY n HAVING count(DISTINCT mission_id) = 1
),
-- The newest duty and private mark at or before each stage.
mark AS MATERIALIZED (
    SELECT s.n, d.kind AS duty_kind, p.kind AS private_kind
      FROM resolved s
      LEFT JOIN LATERAL (
        SELECT k.kind FROM accounts_dutymark k
         WHERE k.driver_id = s.driver_id AND k.recorded_at <= s.recorded_at AND k.kind IN (30, 31)
         ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1) d ON true
      LEFT JOIN LATERAL (
        SELECT k.kind FROM accounts_dutymark k
         WHERE k.driver_id = s.driver_id AND k.recorded_at <= s.recorded_at AND k.kind IN (32, 33)
         ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1) p ON true
     WHERE s.kind < 30
),
linked AS MATERIALIZED (
    SELECT s.*, coalesce(w.mission_id, o.mission_id) AS mission_id,
           -- The named mission's, or none: never another's that happens to be open too.
           CASE WHEN w.n IS NULL THEN o.truck_id ELSE w.truck_id END AS mission_truck_id,
           s.mission IS NOT NULL AND w.n IS NULL AS is_mission_unknown,
           coalesce(s.refused, CASE
               WHEN s.kind >= 30 THEN NULL
               WHEN k.private_kind = 32 THEN 'O'
               WHEN s.tracking_window = 'always' THEN NULL
               WHEN w.status <> 'cancelled'
                    OR EXISTS (SELECT FROM open_mission m WHERE m.n = s.n) THEN NULL
               WHEN s.tracking_window = 'duty' AND k.duty_kind = 30 THEN NULL
               ELSE 'O' END) AS verdict
      FROM resolved s
      LEFT JOIN named w ON w.n = s.n
      LEFT JOIN only_open o ON o.n = s.n
      LEFT JOIN mark k ON k.n = s.n
),
-- A stop belongs to the mission; its site, if it has a point, gives the distance.
placed AS MATERIALIZED (
    SELECT l.*, t.id AS stop_id, t.is_last, l.stop IS NOT NULL AND t.id IS NULL AS is_stop_unknown,
           coalesce(l.mission_truck_id, k.truck_id) AS truck_id,
           l.latitude_e7 / 1e7::float8 AS latitude, l.longitude_e7 / 1e7::float8 AS longitude,
           i.radius_m,
           2 * 6371008.8 * asin(sqrt(least(1,
               power(sind((i.latitude - l.latitude_e7 / 1e7::float8) / 2), 2)
               + cosd(i.latitude) * cosd(l.latitude_e7 / 1e7::float8)
               * power(sind((i.longitude - l.longitude_e7 / 1e7::float8) / 2), 2)))) AS site_distance_m
      FROM linked l
      LEFT JOIN LATERAL (
        SELECT t.id, t.site_id,
               NOT EXISTS (SELECT FROM missions_stop later
                            WHERE later.mission_id = t.mission_id AND later.seq > t.seq
                              AND later.result <> 'cancelled') AS is_last
          FROM missions_stop t
         WHERE t.mission_id = l.mission_id AND (t.external_id = l.stop OR t.uuid = l.stop_uuid)
         LIMIT 1) t ON l.stop IS NOT NULL
      LEFT JOIN LATERAL (
        SELECT i.latitude, i.longitude, i.radius_m FROM missions_site i WHERE i.id = t.site_id
        OFFSET 0) i ON true
      LEFT JOIN LATERAL (
        SELECT a.truck_id FROM accounts_truckassignment a
         WHERE a.driver_id = l.driver_id AND a.period @> l.recorded_at
           AND coalesce(upper(a.period), 'infinity') > l.recorded_at
        OFFSET 0) k ON true
     WHERE l.kind < 30 AND l.verdict IS NULL
),
event AS (
    INSERT INTO missions_stageevent (
        uuid, employer_id, driver_id, truck_id, mission_id, stop_id, stage, recorded_at,
        received_at, fix_id, client_id, latitude, longitude, accuracy_m, odometer_m,
        position_source, position_recorded_at, site_distance_m, site_check, reason, result,
        ends_mission, source, remark, note)
    SELECT DISTINCT ON (driver_id, recorded_at, fix_id)
           gen_random_uuid(), employer_id, driver_id, truck_id, mission_id, stop_id, kind,
           recorded_at, statement_timestamp(), fix_id, client_id, latitude, longitude, accuracy_m,
           odometer_m,
           CASE WHEN latitude IS NULL THEN 'none'
                WHEN position_recorded_at_us IS NULL THEN 'at_event' ELSE 'last_known' END,
           'epoch'::timestamptz + position_recorded_at_us * interval '1 microsecond',
           site_distance_m,
           CASE WHEN site_distance_m IS NULL OR accuracy_m > 200 THEN 'unknown'
                WHEN site_distance_m - coalesce(accuracy_m, 0) <= radius_m THEN 'inside'
                ELSE 'outside' END,
           coalesce(reason, ''),
           -- How a stop ended is said of a stop: one that is unknown has no result.
           CASE WHEN stop_id IS NULL THEN '' ELSE coalesce(result, '') END,
           ends_mission, 'driver', '', note
      FROM placed
     ORDER BY driver_id, recorded_at, fix_id, n
    ON CONFLICT DO NOTHING
    RETURNING driver_id, recorded_at, fix_id
),
-- Only what is new moves a mission: a stage that is sent again changes nothing.
new AS MATERIALIZED (
    SELECT DISTINCT ON (p.driver_id, p.recorded_at, p.fix_id)
           p.mission_id, p.stop_id, p.is_last, p.kind, p.recorded_at, p.result, p.reason,
           p.ends_mission
      FROM placed p
      JOIN event e ON e.driver_id = p.driver_id AND e.recorded_at = p.recorded_at
                  AND e.fix_id = p.fix_id
     WHERE p.mission_id IS NOT NULL
     ORDER BY p.driver_id, p.recorded_at, p.fix_id, p.n
),
touched AS MATERIALIZED (
    SELECT mission_id, min(recorded_at) AS first_at, max(recorded_at) AS last_at,
           bool_or(ends_mission OR (is_last AND (kind = 10 OR result IS NOT NULL))) AS is_ending
      FROM new
     GROUP BY mission_id
),
mission AS MATERIALIZED (
    SELECT m.id, m.status, m.opened_at, m.ended_at, m.ended_source, m.last_stage_at
      FROM missions_mission m
     WHERE m.id = ANY (ARRAY(SELECT mission_id FROM touched))
     ORDER BY m.id
       FOR NO KEY UPDATE
),
-- The latest word on a stop holds, a driver's by the phone's clock, a dispatcher's by ours;
-- of two at one moment, one by the alphabet, so that their order does not matter.
said AS MATERIALIZED (
    SELECT DISTINCT ON (n.stop_id) n.stop_id, n.mission_id, n.recorded_at AS said_at, n.result,
           CASE WHEN n.result = 'succeeded' THEN '' ELSE coalesce(n.reason, '') END AS reason
      FROM new n
      JOIN mission m ON m.id = n.mission_id  -- locked before its stops are written
     WHERE n.result IS NOT NULL AND n.stop_id IS NOT NULL
     ORDER BY n.stop_id, n.recorded_at DESC, n.result COLLATE "C" DESC,
              coalesce(n.reason, '') COLLATE "C" DESC
),
resulted AS (
    UPDATE missions_stop t
       SET result = x.result, result_reason = x.reason, result_at = x.said_at,
           result_said_at = x.said_at, result_source = 'driver'
      FROM said x
     WHERE t.id = x.stop_id AND t.id = ANY (ARRAY(SELECT stop_id FROM said))
       AND (t.result = '' OR x.said_at > coalesce(t.result_said_at, '-infinity')
            OR (x.said_at = t.result_said_at AND t.result_source = 'driver'
                AND (x.result COLLATE "C", x.reason COLLATE "C") > (t.result, t.result_reason)))
    RETURNING x.mission_id
),
-- Late stages only widen; what the system ended by itself, a later stage opens again, unless
-- the last stop (that was not called off) has its result: then the mission is done.
next_state AS MATERIALIZED (
    SELECT m.id, m.opened_at AS was_opened_at, m.ended_at AS was_ended_at,
           least(m.opened_at, t.first_at) AS opened_at,
           CASE WHEN t.is_ending THEN greatest(m.ended_at, m.last_stage_at, t.last_at)
                WHEN m.ended_at IS NULL AND l.is_done THEN greatest(m.last_stage_at, t.last_at)
                WHEN m.ended_source = 'automatic' AND t.last_at > m.ended_at AND NOT l.is_done
                THEN NULL
                WHEN m.ended_at IS NOT NULL THEN greatest(m.ended_at, t.last_at)
           END AS ended_at,
           CASE WHEN m.ended_source = 'dispatcher' THEN 'dispatcher'
                WHEN t.is_ending OR (m.ended_at IS NULL AND l.is_done) THEN 'driver'
                WHEN m.ended_source = 'automatic' AND t.last_at > m.ended_at AND NOT l.is_done
                THEN ''
                ELSE m.ended_source END AS ended_source
      FROM mission m
      JOIN touched t ON t.mission_id = m.id
     CROSS JOIN LATERAL (
        SELECT coalesce((SELECT l.result FROM missions_stop l WHERE l.mission_id = m.id
                          ORDER BY l.result = 'cancelled', l.seq DESC LIMIT 1), '') <> '' AS is_done
        OFFSET 0) l
     WHERE m.status <> 'cancelled'
),
moved AS (
    UPDATE missions_mission m
       SET opened_at = x.opened_at, ended_at = x.ended_at,
           ended_source = x.ended_source,
           status = CASE WHEN x.ended_at IS NULL THEN 'started' ELSE 'completed' END,
           version = m.version + 1, updated_at = statement_timestamp()
      FROM next_state x
     WHERE m.id = x.id AND m.id = ANY (ARRAY(SELECT id FROM next_state))
       AND (m.opened_at IS DISTINCT FROM x.opened_at OR m.ended_at IS DISTINCT FROM x.ended_at
            OR m.ended_source <> x.ended_source
            OR m.id = ANY (ARRAY(SELECT mission_id FROM resulted)))
    RETURNING m.id
),
-- A cancelled mission stays as it is, but what is known of its stops is seen to have changed.
noticed AS (
    UPDATE missions_mission m
       SET version = m.version + 1, updated_at = statement_timestamp()
     WHERE m.id = ANY (ARRAY(SELECT mission_id FROM resulted)) AND m.status = 'cancelled'
    RETURNING m.id
),
-- Since when, or until when, a mission is open otherwise than before: RELINK's work.
changed AS (
    SELECT id AS mission_id,
           CASE WHEN opened_at IS DISTINCT FROM was_opened_at THEN opened_at
                ELSE least(ended_at, was_ended_at) END AS begin_at,
           CASE WHEN was_opened_at IS NULL THEN coalesce(ended_at, 'infinity')
                WHEN ended_at IS DISTINCT FROM was_ended_at
                THEN greatest(coalesce(ended_at, 'infinity'), coalesce(was_ended_at, 'infinity'))
                ELSE was_opened_at END AS end_at
      FROM next_state
     WHERE opened_at IS DISTINCT FROM was_opened_at OR ended_at IS DISTINCT FROM was_ended_at
),
counted AS (
    INSERT INTO tracking_unstoredcount AS c (employer_id, device_id, day_on, reason, count)
    SELECT employer_id, device_id, (statement_timestamp() AT TIME ZONE 'UTC')::date,
           tracking_unstored_reason(verdict), count(*)
      FROM linked WHERE verdict IS NOT NULL AND device_id IS NOT NULL
     GROUP BY 1, 2, 3, 4
     ORDER BY 2, 4
    ON CONFLICT (device_id, day_on, reason) DO UPDATE SET count = c.count + excluded.count
    RETURNING c.id
)
SELECT coalesce(string_agg(letter, '' ORDER BY n), ''),
       coalesce(string_agg(warning::text, '' ORDER BY n), ''),
       (SELECT array_agg(mission_id ORDER BY mission_id) FROM changed),
       (SELECT array_agg(begin_at ORDER BY mission_id) FROM changed),
       (SELECT array_agg(nullif(end_at, 'infinity') ORDER BY mission_id) FROM changed)
  FROM (
    SELECT s.n,
           CASE WHEN l.n IS NULL THEN 'N'
                WHEN l.verdict IS NOT NULL THEN l.verdict
                WHEN l.nth > 1 THEN 'D'
                WHEN l.kind >= 30 THEN CASE WHEN k.driver_id IS NULL THEN 'D' ELSE 'S' END
                WHEN e.driver_id IS NULL THEN 'D' ELSE 'S' END AS letter,
           CASE WHEN l.is_mission_unknown THEN 1 ELSE 0 END
           + CASE WHEN p.is_stop_unknown THEN 2 ELSE 0 END AS warning
      FROM sent s
      LEFT JOIN (SELECT *, row_number() OVER (
                            PARTITION BY driver_id, recorded_at, kind,
                                         CASE WHEN kind < 30 THEN fix_id END
                            ORDER BY n) AS nth FROM linked) l ON l.n = s.n
      LEFT JOIN placed p ON p.n = s.n
      LEFT JOIN marked k ON k.driver_id = l.driver_id AND k.recorded_at = l.recorded_at
                        AND k.kind = l.kind
      LEFT JOIN event e ON e.driver_id = l.driver_id AND e.recorded_at = l.recorded_at
                       AND e.fix_id = l.fix_id
  ) answered

-- == RELINK
-- Fixes that were linked before a stage which came late: the same answer as if it had come
-- in time. What a phone named or a dispatcher corrected stays, and so does a stage's fix,
-- which is linked as its event is. Mostly there is none, and this is a look at one index.
WITH driver AS MATERIALIZED (
    SELECT d.id, min(m.begin_at) AS begin_at, max(coalesce(m.end_at, 'infinity')) AS end_at
      FROM unnest(%(missions)s::int4[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
           AS m(id, begin_at, end_at)
     CROSS JOIN LATERAL (
        SELECT a.driver_id FROM missions_missionassignment a
         WHERE a.mission_id = m.id AND a.period && tstzrange(m.begin_at, m.end_at, '[]')
        OFFSET 0) a
     CROSS JOIN LATERAL (
        SELECT d.id FROM accounts_driver d WHERE d.id = a.driver_id AND d.frozen_at IS NULL
        OFFSET 0) d
     GROUP BY d.id
),
early AS MATERIALIZED (
    SELECT d.id AS driver_id, f.recorded_at, f.fix_id, f.mission_id, f.truck_id, f.link_source,
           f.flags
      FROM driver d
     CROSS JOIN LATERAL (
        SELECT f.recorded_at, f.fix_id, f.mission_id, f.truck_id, f.link_source, f.flags
          FROM tracking_fix f
         WHERE f.driver_id = d.id AND f.recorded_at >= d.begin_at
           AND f.recorded_at <= d.end_at AND f.link_source IN (0, 2)
           AND f.kind < 10
        OFFSET 0) f
),
open_mission AS MATERIALIZED (
    SELECT d.id AS driver_id, o.mission_id, o.truck_id, o.open_period
      FROM driver d
     CROSS JOIN LATERAL (
        SELECT a.mission_id, a.truck_id, a.open_period FROM missions_missionassignment a
         WHERE a.driver_id + 0 = d.id AND a.open_period && tstzrange(d.begin_at, d.end_at, '[]')
           AND coalesce(upper(a.open_period), 'infinity') >= d.begin_at
           AND a.open_period IS NOT NULL
        OFFSET 0) o
),
truck AS MATERIALIZED (
    SELECT d.id AS driver_id, k.truck_id, k.period
      FROM driver d
     CROSS JOIN LATERAL (
        SELECT a.truck_id, a.period FROM accounts_truckassignment a
         WHERE a.driver_id = d.id AND a.period && tstzrange(d.begin_at, d.end_at, '[]')
           AND coalesce(upper(a.period), 'infinity') > d.begin_at
        OFFSET 0) k
),
open_then AS MATERIALIZED (
    SELECT f.driver_id, f.recorded_at, f.fix_id, min(o.mission_id) AS mission_id,
           min(o.truck_id) AS truck_id
      FROM early f
      JOIN open_mission o ON o.driver_id = f.driver_id AND o.open_period @> f.recorded_at
     GROUP BY 1, 2, 3
    HAVING count(*) = 1
),
linked AS MATERIALIZED (
    SELECT f.driver_id, f.recorded_at, f.fix_id, o.mission_id,
           coalesce(o.truck_id, k.truck_id) AS truck_id,
           CASE WHEN o.mission_id IS NULL THEN 0 ELSE 2 END AS link_source,
           nullif(coalesce(f.flags, 0) & ~2
                  | CASE WHEN k.truck_id <> o.truck_id THEN 2 ELSE 0 END, 0) AS flags
      FROM early f
      LEFT JOIN open_then o ON o.driver_id = f.driver_id AND o.recorded_at = f.recorded_at
                           AND o.fix_id = f.fix_id
      LEFT JOIN truck k ON k.driver_id = f.driver_id AND k.period @> f.recorded_at
     WHERE (f.mission_id, f.truck_id) IS DISTINCT FROM
           (o.mission_id, coalesce(o.truck_id, k.truck_id))
)
UPDATE tracking_fix f
   SET mission_id = l.mission_id, truck_id = l.truck_id, link_source = l.link_source,
       flags = l.flags
  FROM linked l
 WHERE f.driver_id = ANY (ARRAY(SELECT DISTINCT driver_id FROM linked))
   AND f.recorded_at >= (SELECT min(recorded_at) FROM linked)
   AND f.recorded_at <= (SELECT max(recorded_at) FROM linked)
   AND f.driver_id = l.driver_id AND f.recorded_at = l.recorded_at AND f.fix_id = l.fix_id

-- == FIXES
-- All fixes, those of the stages that were kept included; recording.py has dropped the
-- doubles of a request.
-- The answer names only the exceptions: which rows were not stored and why.
sent AS (
    SELECT s.*, 'epoch'::timestamptz + s.recorded_at_us * interval '1 microsecond' AS recorded_at
      FROM unnest(%(request)s::int4[], %(recorded_at_us)s::int8[], %(fix_id)s::int8[],
                  %(kind)s::int2[], %(latitude_e7)s::int4[], %(longitude_e7)s::int4[],
                  %(mission_no)s::int4[], %(accuracy_dm)s::int2[], %(speed_cmps)s::int2[],
                  %(heading_ddeg)s::int2[], %(battery_e4)s::int2[], %(altitude_m)s::real[],
                  %(odometer_m)s::int4[], %(flags)s::int2[])
           WITH ORDINALITY AS s(request, recorded_at_us, fix_id, kind, latitude_e7, longitude_e7,
                                mission_no, accuracy_dm, speed_cmps, heading_ddeg, battery_e4,
                                altitude_m, odometer_m, flags, n)
),
-- A phone that was lent and came back has two holdings of one driver.
carried AS MATERIALIZED (
    SELECT DISTINCT no, driver_id, employer_id, first_at, last_at FROM holding
),
-- Per request and driver: the trucks, the open missions and the marks of the spanned time.
truck AS MATERIALIZED (
    SELECT h.no, h.driver_id, k.truck_id, k.period
      FROM carried h
     CROSS JOIN LATERAL (
        SELECT a.truck_id, a.period FROM accounts_truckassignment a
         WHERE a.driver_id = h.driver_id AND a.period && tstzrange(h.first_at, h.last_at, '[]')
           AND coalesce(upper(a.period), 'infinity') > h.first_at
        OFFSET 0) k
),
open_mission AS MATERIALIZED (
    SELECT h.no, h.driver_id, o.mission_id, o.truck_id, o.open_period
      FROM carried h
     CROSS JOIN LATERAL (
        SELECT a.mission_id, a.truck_id, a.open_period FROM missions_missionassignment a
         WHERE a.driver_id + 0 = h.driver_id AND a.open_period && tstzrange(h.first_at, h.last_at, '[]')
           AND coalesce(upper(a.open_period), 'infinity') >= h.first_at
           AND a.open_period IS NOT NULL
        OFFSET 0) o
),
mark AS MATERIALIZED (
    SELECT no, driver_id, is_private, is_on, began_at,
           lead(began_at) OVER (PARTITION BY no, driver_id, is_private
                                ORDER BY began_at, kind) AS ended_at
      FROM (
        SELECT h.no, h.driver_id, k.kind >= 32 AS is_private, k.kind IN (30, 32) AS is_on,
               k.recorded_at AS began_at, k.kind
          FROM carried h
         CROSS JOIN LATERAL (
            (SELECT k.recorded_at, k.kind FROM accounts_dutymark k
              WHERE k.driver_id = h.driver_id AND k.recorded_at <= h.first_at AND k.kind IN (30, 31)
              ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1)
             UNION ALL
            (SELECT k.recorded_at, k.kind FROM accounts_dutymark k
              WHERE k.driver_id = h.driver_id AND k.recorded_at <= h.first_at AND k.kind IN (32, 33)
              ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1)
             UNION ALL
            SELECT k.recorded_at, k.kind FROM accounts_dutymark k
             WHERE k.driver_id = h.driver_id
               AND k.recorded_at > h.first_at AND k.recorded_at <= h.last_at
            OFFSET 0) k) marks
),
named AS MATERIALIZED (
    SELECT h.no, h.driver_id, w.mission_no, m.id AS mission_id, a.truck_id, a.period, a.open_period,
           a.id AS assignment_id
      FROM unnest(%(mission_request)s::int4[], %(mission_names)s::text[], %(mission_uuids)s::uuid[])
           WITH ORDINALITY AS w(request, name, uuid, mission_no)
      JOIN carried h ON h.no = w.request
     CROSS JOIN LATERAL (
        SELECT m.id FROM missions_mission m
         WHERE m.employer_id = h.employer_id AND m.external_id = w.name
         UNION ALL
        SELECT m.id FROM missions_mission m
         WHERE m.uuid = w.uuid AND m.employer_id = h.employer_id
         LIMIT 1) m
     CROSS JOIN LATERAL (
        SELECT a.id, a.truck_id, a.period, a.open_period FROM missions_missionassignment a
         WHERE a.mission_id = m.id AND a.driver_id = h.driver_id
        OFFSET 0) a
),
-- The short way: a run whose fixes all meet one answer (one driver, the same truck and
-- mission throughout, inside the window, no spacing) is linked once, not fix by fix.
settled_run AS MATERIALIZED (
    SELECT r.no, r.employer_id, r.device_id, h.driver_id, o.mission_id,
           coalesce(o.truck_id, k.truck_id) AS truck_id,
           CASE WHEN o.no IS NULL THEN 0 ELSE 2 END AS link_source,
           CASE WHEN k.truck_id <> o.truck_id THEN 2 ELSE 0 END AS link_flags
      FROM request r
      JOIN (SELECT no, min(driver_id) AS driver_id FROM holding
             GROUP BY no
            HAVING count(*) = 1
               AND bool_and(period @> first_at AND period @> last_at)) h ON h.no = r.no
      JOIN driver d ON d.id = h.driver_id AND d.frozen_at IS NULL
      LEFT JOIN (SELECT o.no, min(o.mission_id) AS mission_id, min(o.truck_id) AS truck_id,
                        count(*) = 1 AND bool_and(o.open_period @> c.first_at
                                                  AND o.open_period @> c.last_at) AS is_whole
                   FROM open_mission o JOIN carried c ON c.no = o.no AND c.driver_id = o.driver_id
                  GROUP BY o.no) o ON o.no = r.no
      LEFT JOIN (SELECT k.no, min(k.truck_id) AS truck_id,
                        count(*) = 1 AND bool_and(k.period @> c.first_at
                                                  AND k.period @> c.last_at) AS is_whole
                   FROM truck k JOIN carried c ON c.no = k.no AND c.driver_id = k.driver_id
                  GROUP BY k.no) k ON k.no = r.no
      LEFT JOIN (SELECT m.no, bool_or(m.began_at > c.first_at OR (m.is_private AND m.is_on))
                                AS is_broken,
                        bool_or(NOT m.is_private AND m.is_on) AS is_on_duty
                   FROM mark m JOIN carried c ON c.no = m.no AND c.driver_id = m.driver_id
                  GROUP BY m.no) m ON m.no = r.no
     WHERE r.min_spacing_m <= 25
       AND o.is_whole IS NOT FALSE AND k.is_whole IS NOT FALSE AND m.is_broken IS NOT TRUE
       AND (r.tracking_window = 'always' OR o.no IS NOT NULL
            OR (r.tracking_window = 'duty' AND m.is_on_duty))
       AND NOT (%(has_route_period)s AND r.first_at
                < statement_timestamp() - make_interval(months => r.route_months::int))
),
placed AS MATERIALIZED (
    SELECT s.*, w.employer_id, w.device_id, w.driver_id, w.truck_id, w.mission_id,
           w.link_source, w.link_flags
      FROM sent s
      LEFT JOIN settled_run w ON w.no = s.request AND s.mission_no IS NULL
),
resolved AS MATERIALIZED (
    SELECT s.n, s.request, s.recorded_at_us, s.recorded_at, s.fix_id, s.kind, s.latitude_e7,
           s.longitude_e7, s.mission_no, s.accuracy_dm, s.speed_cmps, s.heading_ddeg,
           s.battery_e4, s.altitude_m, s.odometer_m, s.flags,
           r.employer_id, r.device_id, r.tracking_window, r.min_spacing_m, h.driver_id,
           CASE WHEN h.driver_id IS NULL THEN 'N'
                WHEN d.frozen_at IS NOT NULL THEN 'F'
                WHEN %(has_route_period)s AND s.recorded_at
                     < statement_timestamp() - make_interval(months => r.route_months::int) THEN 'P'
           END AS refused
      FROM placed s
      LEFT JOIN request r ON r.no = s.request
      LEFT JOIN holding h ON h.no = s.request AND h.period @> s.recorded_at
      LEFT JOIN driver d ON d.id = h.driver_id
     WHERE s.driver_id IS NULL
),
open_then AS MATERIALIZED (
    SELECT s.n, count(*) AS missions, min(o.mission_id) AS mission_id, min(o.truck_id) AS truck_id
      FROM resolved s
      JOIN open_mission o ON o.no = s.request AND o.driver_id = s.driver_id
                         AND o.open_period @> s.recorded_at
     GROUP BY s.n
),
linked AS MATERIALIZED (
    SELECT s.*, coalesce(w.mission_id, CASE WHEN o.missions = 1 THEN o.mission_id END) AS mission_id,
           coalesce(w.truck_id, CASE WHEN w.mission_id IS NULL AND o.missions = 1 THEN o.truck_id END,
                    k.truck_id) AS truck_id,
           CASE WHEN w.mission_id IS NOT NULL THEN 1 WHEN o.missions = 1 THEN 2 ELSE 0 END
               AS link_source,
           w.assignment_id,
           w.mission_id IS NOT NULL AND w.open_period @> s.recorded_at IS NOT TRUE
               AS is_named_while_closed,
           CASE WHEN s.mission_no IS NOT NULL AND w.mission_id IS NULL THEN 4 ELSE 0 END
           | CASE WHEN k.truck_id <> coalesce(w.truck_id, CASE WHEN w.mission_id IS NULL
                       AND o.missions = 1 THEN o.truck_id END) THEN 2 ELSE 0 END
           | coalesce(s.flags, 0) AS all_flags,
           coalesce(s.refused, CASE
               WHEN s.kind >= 10 THEN NULL  -- a stage that was kept keeps its fix
               WHEN p.is_on THEN 'O'
               WHEN s.tracking_window = 'always' OR o.missions > 0 THEN NULL
               WHEN s.tracking_window = 'duty' AND d.is_on THEN NULL
               ELSE 'O' END) AS verdict
      FROM resolved s
      LEFT JOIN named w ON w.no = s.request AND w.driver_id = s.driver_id
                       AND w.mission_no = s.mission_no AND w.period @> s.recorded_at
      LEFT JOIN open_then o ON o.n = s.n
      LEFT JOIN truck k ON k.no = s.request AND k.driver_id = s.driver_id
                       AND k.period @> s.recorded_at
      LEFT JOIN mark d ON d.no = s.request AND d.driver_id = s.driver_id AND NOT d.is_private
                      AND d.began_at <= s.recorded_at
                      AND (d.ended_at IS NULL OR s.recorded_at < d.ended_at)
      LEFT JOIN mark p ON p.no = s.request AND p.driver_id = s.driver_id AND p.is_private
                      AND p.began_at <= s.recorded_at
                      AND (p.ended_at IS NULL OR s.recorded_at < p.ended_at)
),
-- Spacing, only where the employer asks for it; 25 m of tolerance. A fix that is stored
-- already is a duplicate, never thinned.
spaced AS MATERIALIZED (
    SELECT f.n, tracking_is_spaced(
               f.recorded_at_us, f.latitude_e7, f.longitude_e7, f.kind = 1, y.is_stored,
               f.min_spacing_m - 25::float8, y.at_us, y.latitude_e7, y.longitude_e7)
           OVER (PARTITION BY f.driver_id ORDER BY f.recorded_at_us, f.n) AS is_kept
      FROM linked f
     CROSS JOIN LATERAL tracking_spacing_before(f.driver_id, f.recorded_at, f.fix_id) y
     WHERE f.min_spacing_m > 25 AND f.verdict IS NULL
),
judged AS MATERIALIZED (
    SELECT f.*, coalesce(f.verdict, CASE WHEN s.is_kept IS FALSE THEN 'T' END) AS outcome
      FROM linked f
      LEFT JOIN spaced s ON s.n = f.n
),
inserted AS (
    INSERT INTO tracking_fix (
        recorded_at, received_at, fix_id, driver_id, employer_id, device_id, latitude_e7,
        longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm, speed_cmps,
        heading_ddeg, battery_e4, altitude_m, odometer_m, flags)
    SELECT recorded_at, statement_timestamp(), fix_id, driver_id, employer_id, device_id,
           latitude_e7, longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm,
           speed_cmps, heading_ddeg, battery_e4, altitude_m, odometer_m, nullif(all_flags, 0)
      FROM judged
     WHERE outcome IS NULL
     UNION ALL
    SELECT recorded_at, statement_timestamp(), fix_id, driver_id, employer_id, device_id,
           latitude_e7, longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm,
           speed_cmps, heading_ddeg, battery_e4, altitude_m, odometer_m,
           nullif(coalesce(flags, 0) | link_flags, 0)
      FROM placed
     WHERE driver_id IS NOT NULL
     ORDER BY 4, 1, 3  -- driver, time, fix_id: one order of locks for all
    ON CONFLICT DO NOTHING
    RETURNING driver_id, recorded_at, fix_id
),
-- Fixes that name a mission which was not open: its history must find them.
widened AS (
    UPDATE missions_missionassignment a
       SET linked_period = range_merge(coalesce(a.linked_period, x.period), x.period)
      FROM (SELECT assignment_id, tstzrange(min(recorded_at), max(recorded_at), '[]') AS period
              FROM judged
             WHERE outcome IS NULL AND is_named_while_closed
             GROUP BY assignment_id) x
     WHERE a.id = x.assignment_id
       AND a.id = ANY (ARRAY(
            SELECT l.id FROM missions_missionassignment l
             WHERE l.id = ANY (ARRAY(SELECT assignment_id FROM judged WHERE is_named_while_closed))
             ORDER BY l.id FOR NO KEY UPDATE))
       AND (a.linked_period IS NULL OR NOT a.linked_period @> x.period)
    RETURNING a.id
),
-- What the judge refused comes along as numbers by reason.
counted AS (
    INSERT INTO tracking_unstoredcount AS c (employer_id, device_id, day_on, reason, count)
    SELECT employer_id, device_id, (statement_timestamp() AT TIME ZONE 'UTC')::date, reason,
           sum(fixes)
      FROM (
        SELECT employer_id, device_id, tracking_unstored_reason(outcome) AS reason, 1 AS fixes
          FROM judged WHERE outcome IS NOT NULL AND device_id IS NOT NULL
         UNION ALL
        SELECT r.employer_id, r.device_id, x.reason, x.fixes
          FROM unnest(%(refused_request)s::int4[], %(refused_reason)s::text[],
                      %(refused_fixes)s::int4[]) AS x(request, reason, fixes)
          JOIN request r ON r.no = x.request) unstored
     GROUP BY 1, 2, 3, 4
     ORDER BY 2, 4
    ON CONFLICT (device_id, day_on, reason) DO UPDATE SET count = c.count + excluded.count
    RETURNING c.id
),
-- Every five minutes is often enough; a row that somebody else holds is skipped.
seen AS (
    UPDATE accounts_device SET last_seen_at = statement_timestamp()
     WHERE id = ANY (ARRAY(
        SELECT d.id FROM accounts_device d
         WHERE d.id = ANY (ARRAY(SELECT device_id FROM request))
           AND (d.last_seen_at IS NULL
                OR d.last_seen_at < statement_timestamp() - interval '5 minutes')
           FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING id
),
-- Compared by count first: nearly always every fix is new, and there is nothing to look up.
-- Two phones of one driver may send one fix in one group: then only the first stored it.
exception AS (
    SELECT n, outcome AS letter FROM judged WHERE outcome IS NOT NULL
     UNION ALL
    SELECT j.n, 'D'
      FROM (SELECT n, driver_id, recorded_at, fix_id,
                   row_number() OVER (PARTITION BY driver_id, recorded_at, fix_id ORDER BY n) AS nth
              FROM (SELECT n, driver_id, recorded_at, fix_id FROM judged WHERE outcome IS NULL
                     UNION ALL
                    SELECT n, driver_id, recorded_at, fix_id FROM placed
                     WHERE driver_id IS NOT NULL) new
             WHERE (SELECT count(*) FROM inserted)
                   < (SELECT count(*) FROM judged WHERE outcome IS NULL)
                     + (SELECT count(*) FROM placed WHERE driver_id IS NOT NULL)) j
      LEFT JOIN inserted i ON i.driver_id = j.driver_id AND i.recorded_at = j.recorded_at
                          AND i.fix_id = j.fix_id
     WHERE j.nth > 1 OR i.driver_id IS NULL
)
SELECT (SELECT string_agg(n || letter, ',') FROM exception),
       (SELECT string_agg(n::text, ',') FROM judged WHERE all_flags & 4 <> 0),
       (SELECT string_agg(
            CASE WHEN r.no IS NULL THEN 'U'
                 WHEN r.no = ANY (ARRAY(
                    SELECT h.no FROM holding h JOIN driver d ON d.id = h.driver_id
                     WHERE d.frozen_at IS NOT NULL AND h.period @> statement_timestamp())) THEN 'F'
                 ELSE 'K' END, '' ORDER BY q.no)
          FROM generate_series(1, cardinality(%(tokens)s::bytea[])) AS q(no)
          LEFT JOIN request r ON r.no = q.no)
