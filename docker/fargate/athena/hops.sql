-- Each hop of each message once. Of the copies that came on one day, one is left.
CREATE OR REPLACE VIEW hops AS
WITH copies AS (
  SELECT
    *,
    -- With --records all, others record a hop too: the end that finished it knows more.
    ROW_NUMBER() OVER (
      PARTITION BY day, id, hop, to_id
      ORDER BY CASE WHEN reporter = "to" THEN 0 ELSE 1 END, hour
    ) AS copy
  FROM records
  WHERE kind = 'hop'
)
SELECT
  day,
  hour,
  key,
  -- Unknown while the clocks' offset is.
  CASE WHEN error_ms IS NOT NULL OR clock = 'system' THEN ms END AS ms,
  ms_raw,
  error_ms,
  clock,
  clock_id,
  length,
  id,
  split_part(id, '-', 1) AS session,
  TRY_CAST(split_part(id, '-', 2) AS bigint) AS sequence,
  to_id,
  "from",
  "to",
  route,
  flow,
  hop,
  hops,
  path,
  path_ms,
  elapsed_ms,
  echo,
  -- Times in milliseconds, which is what Athena's catalog can hold of a view.
  TRY_CAST(replace(substr(intended, 1, 23), 'T', ' ') AS timestamp(3)) AS intended,
  TRY_CAST(replace(substr(sent, 1, 23), 'T', ' ') AS timestamp(3)) AS sent,
  TRY_CAST(replace(substr(received, 1, 23), 'T', ' ') AS timestamp(3)) AS received,
  -- The instant of the schedule to the microsecond: equal means the same slot.
  intended AS slot,
  -- Microseconds since 1970. Whole seconds first: engines differ in how they count broken ones.
  date_diff(
    'second',
    TIMESTAMP '1970-01-01 00:00:00',
    TRY_CAST(replace(substr(received, 1, 19), 'T', ' ') AS timestamp(3))
  ) * 1000000 + TRY_CAST(substr(received, 21, 6) AS bigint) AS received_us,
  rtt_ms,
  residence_ms,
  transport,
  peer,
  reporter,
  region,
  zone,
  run
FROM copies
WHERE copy = 1
