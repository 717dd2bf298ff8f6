-- What --records summary writes: one row for each key, route and report.
CREATE OR REPLACE VIEW summaries AS
WITH copies AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY day, run, interval_end, key, route, echo
      ORDER BY hour
    ) AS copy
  FROM records
  WHERE kind = 'summary'
)
SELECT
  day,
  hour,
  TRY_CAST(replace(substr(interval_start, 1, 23), 'T', ' ') AS timestamp(3)) AS interval_start,
  TRY_CAST(replace(substr(interval_end, 1, 23), 'T', ' ') AS timestamp(3)) AS interval_end,
  key,
  "from",
  "to",
  route,
  hops,
  echo,
  count,
  per_second,
  bytes_per_second,
  lost,
  up,
  down,
  dropped,
  duplicates,
  reordered,
  negative,
  uncorrected,
  min_ms,
  mean_ms,
  stddev_ms,
  p50_ms,
  p90_ms,
  p95_ms,
  p99_ms,
  p999_ms,
  max_ms,
  elapsed_min_ms,
  elapsed_mean_ms,
  elapsed_stddev_ms,
  elapsed_p50_ms,
  elapsed_p90_ms,
  elapsed_p95_ms,
  elapsed_p99_ms,
  elapsed_p999_ms,
  elapsed_max_ms,
  error_p50_ms,
  error_max_ms,
  ipdv_min_ms,
  ipdv_mean_ms,
  ipdv_stddev_ms,
  ipdv_p50_ms,
  ipdv_p90_ms,
  ipdv_p95_ms,
  ipdv_p99_ms,
  ipdv_p999_ms,
  ipdv_max_ms,
  jitter_ms,
  hdr,
  reporter,
  region,
  zone,
  run
FROM copies
WHERE copy = 1
