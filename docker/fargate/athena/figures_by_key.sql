-- Delay by key, route and interval: of hops (hops = 1) and of whole paths (hops > 1).
CREATE OR REPLACE VIEW figures_by_key AS
WITH delays AS (
  SELECT day, received, key, "from", "to", route, 1 AS hops, echo, ms, error_ms
  FROM hops
  UNION ALL
  SELECT day, received, key, "from", "to", route, hops, echo, ms, error_ms
  FROM paths
),
spans AS (
  SELECT
    delays.*,
    span,
    CASE
      WHEN span = 'day' THEN CAST(replace(day, '/', '-') AS timestamp(3))
      ELSE date_trunc(span, received)
    END AS start
  FROM delays
  CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) AS lengths (span)
),
ranked AS (
  SELECT
    spans.*,
    COUNT(ms) OVER (
      PARTITION BY day, span, start, key, "from", "to", route, hops, echo
    ) AS measured,
    ROW_NUMBER() OVER (
      PARTITION BY day, span, start, key, "from", "to", route, hops, echo
      ORDER BY ms NULLS LAST
    ) AS place,
    COUNT(error_ms) OVER (
      PARTITION BY day, span, start, key, "from", "to", route, hops, echo
    ) AS bounded,
    ROW_NUMBER() OVER (
      PARTITION BY day, span, start, key, "from", "to", route, hops, echo
      ORDER BY error_ms NULLS LAST
    ) AS error_place,
    -- A delay below zero is within its bound of zero.
    CASE WHEN ms < 0 THEN 0 ELSE ms END AS floored_ms
  FROM spans
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
  COUNT(*) - COUNT(ms) AS uncorrected,
  SUM(CASE WHEN ms < 0 THEN 1 ELSE 0 END) AS negative,
  MIN(ms) AS min_ms,
  AVG(ms) AS mean_ms,
  -- Nearest rank: the smallest value that so many in a hundred do not exceed.
  MIN(CASE WHEN place * 100 >= measured * 50 THEN floored_ms END) AS p50_ms,
  MIN(CASE WHEN place * 100 >= measured * 90 THEN floored_ms END) AS p90_ms,
  MIN(CASE WHEN place * 100 >= measured * 95 THEN floored_ms END) AS p95_ms,
  MIN(CASE WHEN place * 100 >= measured * 99 THEN floored_ms END) AS p99_ms,
  MAX(ms) AS max_ms,
  MIN(CASE WHEN error_place * 100 >= bounded * 50 THEN error_ms END) AS error_p50_ms,
  MAX(error_ms) AS error_max_ms
FROM ranked
GROUP BY day, span, start, key, "from", "to", route, hops, echo
