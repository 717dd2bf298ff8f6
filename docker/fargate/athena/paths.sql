-- Each message's whole way to each receiver.
CREATE OR REPLACE VIEW paths AS
WITH inbound AS (
  SELECT day, id, route, clock_id, ms, error_ms
  FROM hops
  WHERE hop = 1
),
arrivals AS (
  SELECT
    arrival.*,
    inbound.id IS NOT NULL AS has_inbound,
    inbound.route AS origin_route,
    inbound.ms AS inbound_ms,
    inbound.error_ms AS inbound_error_ms,
    -- Equal pairs of clocks up and down: it came back to the process that it left.
    arrival.echo OR COALESCE(inbound.clock_id = arrival.clock_id, FALSE) AS one_clock
  FROM hops AS arrival
  LEFT JOIN inbound ON inbound.day = arrival.day AND inbound.id = arrival.id
  WHERE arrival.path_ms IS NOT NULL
)
SELECT
  day,
  hour,
  path AS key,
  CASE
    WHEN one_clock THEN path_ms
    WHEN ms IS NULL OR (has_inbound AND inbound_ms IS NULL) THEN NULL
    ELSE path_ms
  END AS ms,
  elapsed_ms,
  CASE
    WHEN one_clock THEN 0.0005 * elapsed_ms
    WHEN hops = 2 THEN inbound_error_ms + error_ms
  END AS error_ms,
  one_clock,
  length,
  id,
  session,
  sequence,
  to_id,
  split_part(path, '::~::', 1) AS "from",
  "to",
  CASE
    WHEN echo OR origin_route = route THEN route
    ELSE concat(COALESCE(origin_route, '?'), '>', route)
  END AS route,
  flow,
  hops,
  echo,
  intended,
  received,
  reporter,
  region,
  zone,
  run
FROM arrivals
