-- What route b takes more (above zero) or less (below) than route a, pair by pair. Each pair of
-- routes stands here both ways round.
CREATE OR REPLACE VIEW routes_compared AS
WITH pairs AS (
  -- Up: two messages of one slot, stamped by the same two clocks.
  SELECT
    b.day, b.received, 'one way' AS measure, b."from", b."to", a.route AS a, b.route AS b,
    b.ms_raw - a.ms_raw AS difference_ms,
    (b.received_us - a.received_us) / 1.0E3 AS gap_ms
  FROM hops AS a
  JOIN hops AS b
    ON b.day = a.day
    AND b.clock_id = a.clock_id
    AND b.flow = a.flow
    AND b.slot = a.slot
    AND b.hop = a.hop
    AND b.route <> a.route
  WHERE a.hop = 1
  UNION ALL
  -- Down: one message, stamped once and sent down both routes.
  SELECT
    b.day, b.received, 'one way' AS measure, b."from", b."to", a.route AS a, b.route AS b,
    b.ms_raw - a.ms_raw AS difference_ms,
    b.ms_raw - a.ms_raw AS gap_ms
  FROM hops AS a
  JOIN hops AS b
    ON b.day = a.day
    AND b.clock_id = a.clock_id
    AND b.flow = a.flow
    AND b.id = a.id
    AND b.hop = a.hop
    AND b.route <> a.route
  WHERE a.hop > 1
  UNION ALL
  -- There and back: the echoes of two messages of one slot, by one clock.
  SELECT
    b.day, b.received, 'round trip' AS measure, b."to" AS "from", b."from" AS "to",
    a.route AS a, b.route AS b,
    b.path_ms - a.path_ms AS difference_ms,
    b.path_ms - a.path_ms AS gap_ms
  FROM hops AS a
  JOIN hops AS b
    ON b.day = a.day
    AND b.clock_id = a.clock_id
    AND b.flow = a.flow
    AND b.slot = a.slot
    AND b.hop = a.hop
    AND b.route <> a.route
  WHERE a.echo AND b.echo
),
spans AS (
  SELECT
    pairs.*,
    -- Clocks' rates differ by less than 500 ppm.
    0.0005 * abs(gap_ms) AS error_ms,
    span,
    CASE
      WHEN span = 'day' THEN CAST(replace(day, '/', '-') AS timestamp(3))
      ELSE date_trunc(span, received)
    END AS start
  FROM pairs
  CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) AS lengths (span)
),
ranked AS (
  SELECT
    spans.*,
    COUNT(*) OVER (PARTITION BY day, span, start, measure, "from", "to", a, b) AS n,
    ROW_NUMBER() OVER (
      PARTITION BY day, span, start, measure, "from", "to", a, b
      ORDER BY difference_ms
    ) AS place,
    ROW_NUMBER() OVER (
      PARTITION BY day, span, start, measure, "from", "to", a, b
      ORDER BY error_ms
    ) AS error_place
  FROM spans
),
figures AS (
  SELECT
    day, span, start, measure, "from", "to", a, b,
    COUNT(*) AS pairs,
    AVG(difference_ms) AS mean_ms,
    MIN(CASE WHEN place * 100 >= n * 50 THEN difference_ms END) AS p50_ms,
    MIN(CASE WHEN place * 100 >= n * 95 THEN difference_ms END) AS p95_ms,
    -- Where the true median lies with 95 % confidence: order statistics, normal approximation.
    MAX(CASE WHEN place <= n * 0.5 - 0.98 * sqrt(n) THEN difference_ms END) AS median_low_ms,
    MIN(CASE WHEN place >= n * 0.5 + 0.98 * sqrt(n) + 1 THEN difference_ms END) AS median_high_ms,
    AVG(CASE WHEN difference_ms < 0 THEN 1.0E0 ELSE 0.0E0 END) AS share_faster,
    MIN(CASE WHEN error_place * 100 >= n * 50 THEN error_ms END) AS error_p50_ms,
    MAX(error_ms) AS error_max_ms
  FROM ranked
  GROUP BY day, span, start, measure, "from", "to", a, b
)
SELECT
  figures.*,
  CASE
    WHEN median_high_ms + error_p50_ms < 0 THEN 'faster'
    WHEN median_low_ms - error_p50_ms > 0 THEN 'slower'
    ELSE 'not shown to differ'
  END AS b_is
FROM figures
