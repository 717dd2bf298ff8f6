-- Messages that are missing between two that arrived, by key, route and interval.
CREATE OR REPLACE VIEW loss_by_key AS
WITH inbound AS (
  SELECT
    day,
    id,
    -- How many of its session the relay had recorded by then.
    ROW_NUMBER() OVER (PARTITION BY day, session ORDER BY sequence) AS passed
  FROM hops
  WHERE hop = 1 AND reporter = "to"
),
arrivals AS (
  SELECT
    day, received, key, "from", "to", route, 1 AS hops, echo, session, to_id, sequence,
    CAST(NULL AS bigint) AS passed
  FROM hops
  WHERE hop = 1 AND reporter = "to"
  UNION ALL
  SELECT
    paths.day, paths.received, paths.key, paths."from", paths."to", paths.route, paths.hops,
    paths.echo, paths.session, paths.to_id, paths.sequence,
    inbound.passed
  FROM paths
  LEFT JOIN inbound ON inbound.day = paths.day AND inbound.id = paths.id
),
gaps AS (
  SELECT
    arrivals.*,
    sequence - LAG(sequence) OVER (
      PARTITION BY day, hops, session, to_id ORDER BY sequence
    ) - 1 AS lost,
    -- Those between that the relay had.
    passed - LAG(passed) OVER (
      PARTITION BY day, hops, session, to_id ORDER BY sequence
    ) - 1 AS relayed
  FROM arrivals
),
parts AS (
  SELECT
    gaps.*,
    CASE WHEN hops = 1 THEN lost ELSE lost - relayed END AS up,
    CASE WHEN hops = 1 THEN 0 ELSE relayed END AS down
  FROM gaps
),
spans AS (
  SELECT
    parts.*,
    span,
    CASE
      WHEN span = 'day' THEN CAST(replace(day, '/', '-') AS timestamp(3))
      ELSE date_trunc(span, received)
    END AS start
  FROM parts
  CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) AS lengths (span)
)
SELECT
  day,
  span,
  start,
  key,
  "from",
  "to",
  route,
  hops,
  echo,
  COUNT(*) AS count,
  COALESCE(SUM(lost), 0) AS lost,
  COALESCE(SUM(up), 0) AS up,
  COALESCE(SUM(down), 0) AS down
FROM spans
GROUP BY day, span, start, key, "from", "to", route, hops, echo
