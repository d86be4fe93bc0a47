-- Keep what could not be used, and what phones say of themselves: run in the transaction of
-- the group it came with, only when there is any. The same rules as for a fix decide whether
-- it may be kept at all: nobody's, a frozen driver's, or outside the window is only counted.
--
-- The moment that counts is the time it says. Without one, or where the clock is plainly
-- wrong (ahead of ours, or before its employer was here), it is the moment it came.

-- == ITEMS
WITH item AS MATERIALIZED (
    SELECT i.*, 'epoch'::timestamptz + i.recorded_at_us * interval '1 microsecond' AS recorded_at
      FROM unnest(%(token_hash)s::bytea[], %(recorded_at_us)s::int8[], %(dialect)s::text[],
                  %(reason)s::text[], %(detail)s::text[], %(payload)s::bytea[],
                  %(payload_hash)s::bytea[], %(fixes)s::int4[], %(health)s::text[])
           WITH ORDINALITY AS i(token_hash, recorded_at_us, dialect, reason, detail, payload,
                                payload_hash, fixes, health, n)
),
sender AS MATERIALIZED (
    SELECT i.n, d.id AS device_id, d.employer_id, e.tracking_window, a.at
      FROM item i
     CROSS JOIN LATERAL (
        SELECT t.device_id FROM accounts_devicetoken t
         WHERE t.token_hash = i.token_hash AND t.scope = 'ingest'
           AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
        OFFSET 0) t
     CROSS JOIN LATERAL (
        SELECT d.id, d.employer_id FROM accounts_device d
         WHERE d.id = t.device_id AND d.revoked_at IS NULL
        OFFSET 0) d
     CROSS JOIN LATERAL (
        SELECT e.tracking_window, e.created_at FROM accounts_employer e WHERE e.id = d.employer_id
        OFFSET 0) e
     CROSS JOIN LATERAL (
        SELECT CASE WHEN i.recorded_at BETWEEN e.created_at AND statement_timestamp()
                    THEN i.recorded_at ELSE statement_timestamp() END AS at) a
),
carried AS MATERIALIZED (
    SELECT s.*, h.driver_id
      FROM sender s
      LEFT JOIN LATERAL (
        SELECT h.driver_id FROM accounts_deviceholding h
         WHERE h.device_id = s.device_id AND h.period @> s.at
        OFFSET 0) h ON true
),
driver AS MATERIALIZED (
    SELECT d.id, d.frozen_at
      FROM accounts_driver d
     WHERE d.id = ANY (ARRAY(SELECT driver_id FROM carried))
     ORDER BY d.id
       FOR KEY SHARE
),
judged AS MATERIALIZED (
    SELECT c.n, c.device_id, c.employer_id, c.driver_id,
           CASE
               WHEN c.driver_id IS NULL THEN 'no_driver'
               WHEN d.frozen_at IS NOT NULL THEN 'driver_frozen'
               WHEN p.kind = 32 THEN 'outside_window'
               WHEN c.tracking_window = 'always' OR o.is_open THEN NULL
               WHEN c.tracking_window = 'duty' AND m.kind = 30 THEN NULL
               ELSE 'outside_window' END AS forbidden
      FROM carried c
      LEFT JOIN driver d ON d.id = c.driver_id
      LEFT JOIN LATERAL (
        SELECT k.kind FROM accounts_dutymark k
         WHERE k.driver_id = c.driver_id AND k.recorded_at <= c.at AND k.kind IN (30, 31)
         ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1) m ON true
      LEFT JOIN LATERAL (
        SELECT k.kind FROM accounts_dutymark k
         WHERE k.driver_id = c.driver_id AND k.recorded_at <= c.at AND k.kind IN (32, 33)
         ORDER BY k.recorded_at DESC, k.kind DESC LIMIT 1) p ON true
     CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM missions_missionassignment a
             WHERE a.driver_id + 0 = c.driver_id AND a.open_period @> c.at
               AND coalesce(upper(a.open_period), 'infinity') >= c.at
               AND a.open_period IS NOT NULL) AS is_open) o
),
-- One row for each phone and payload, however often a request repeats it.
payload AS MATERIALIZED (
    SELECT DISTINCT ON (j.device_id, i.payload_hash)
           i.n, j.device_id, j.employer_id, j.driver_id, i.dialect, i.reason, i.detail, i.payload,
           i.payload_hash, sum(i.fixes) OVER (PARTITION BY j.device_id, i.payload_hash) AS times
      FROM judged j
      JOIN item i ON i.n = j.n
     WHERE j.forbidden IS NULL AND i.payload_hash IS NOT NULL
     ORDER BY j.device_id, i.payload_hash, i.n
),
-- What the day has brought of this phone so far.
today AS MATERIALIZED (
    SELECT p.device_id,
           (SELECT count(*) FROM tracking_quarantinedfix q
             WHERE q.device_id = p.device_id
               AND q.first_received_at >= date_trunc('day', statement_timestamp(), 'UTC')) AS rows
      FROM (SELECT DISTINCT device_id FROM payload) p
),
bounded AS MATERIALIZED (
    SELECT p.*, k.is_known
           OR t.rows + count(*) FILTER (WHERE NOT k.is_known)
                       OVER (PARTITION BY p.device_id ORDER BY p.n) <= %(rows_a_day)s AS is_kept
      FROM payload p
      JOIN today t ON t.device_id = p.device_id
     CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM tracking_quarantinedfix q
                        WHERE q.device_id = p.device_id AND q.payload_hash = p.payload_hash)
            AS is_known) k
),
kept AS (
    INSERT INTO tracking_quarantinedfix AS q (
        uuid, employer_id, device_id, driver_id, dialect, reason, detail, payload, payload_hash,
        count, first_received_at, last_received_at)
    SELECT gen_random_uuid(), employer_id, device_id, driver_id, dialect, reason, detail, payload,
           payload_hash, times, statement_timestamp(), statement_timestamp()
      FROM bounded
     WHERE is_kept
     ORDER BY device_id, payload_hash
    ON CONFLICT (device_id, payload_hash) DO UPDATE
       SET count = q.count + excluded.count, last_received_at = excluded.last_received_at,
           reason = excluded.reason, detail = excluded.detail
    RETURNING q.id
),
counted AS (
    INSERT INTO tracking_unstoredcount AS c (employer_id, device_id, day_on, reason, count)
    SELECT j.employer_id, j.device_id, (statement_timestamp() AT TIME ZONE 'UTC')::date,
           coalesce(j.forbidden, CASE WHEN b.is_kept IS FALSE THEN 'quarantine_full' END, i.reason),
           sum(i.fixes)
      FROM judged j
      JOIN item i ON i.n = j.n
      LEFT JOIN bounded b ON b.device_id = j.device_id AND b.payload_hash = i.payload_hash
     WHERE i.reason IS NOT NULL
     GROUP BY 1, 2, 3, 4
     ORDER BY 2, 4
    ON CONFLICT (device_id, day_on, reason) DO UPDATE SET count = c.count + excluded.count
    RETURNING c.id
),
-- The newest of each phone; a row that somebody else holds is skipped, the next will do.
told AS MATERIALIZED (
    SELECT DISTINCT ON (j.device_id) j.device_id, i.health::jsonb AS health
      FROM judged j
      JOIN item i ON i.n = j.n
     WHERE j.forbidden IS NULL AND i.health IS NOT NULL
     ORDER BY j.device_id, i.n DESC
),
known AS (
    UPDATE accounts_device d
       SET health = d.health || t.health
                    || jsonb_build_object('at', to_char(statement_timestamp() AT TIME ZONE 'UTC',
                                                        'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
      FROM told t
     WHERE d.id = t.device_id
       AND d.id = ANY (ARRAY(
            SELECT l.id FROM accounts_device l
             WHERE l.id = ANY (ARRAY(SELECT device_id FROM told))
             ORDER BY l.id
               FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING d.id
)
SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM counted), (SELECT count(*) FROM known)
