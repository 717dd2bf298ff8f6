/**
 * The shape of a run's figures: what `--json` prints, what tables and the live view draw, and what
 * summary records carry (one `KeySummary` each). All times are milliseconds; what does not apply
 * to an entry is absent.
 */

/** Figures of one distribution, in milliseconds. Percentiles by nearest rank. */
export interface DelayFigures {
  min: number;
  mean: number;
  stddev: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
}

/** The ends of a confidence interval, in ms; one that the sample is too small for is absent. */
export interface Interval {
  low?: number;
  high?: number;
}

/** Messages between two places that did not arrive as they were sent. */
export interface LossFigures {
  /** up + down. */
  lost: number;
  /** Lost between the origin and the relay. */
  up: number;
  /** Lost between the relay and the receiver. */
  down: number;
  /** The relay's own share of `down`: frames that it dropped because the receiver fell behind. */
  dropped: number;
  duplicates: number;
  /** RFC 4737: arrived with a sequence below one that was already seen. */
  reordered: number;
}

/** Figures of one hop or path on one route. */
export interface KeySummary extends LossFigures {
  /** `A::~::B` for a hop; hops joined by `<~>` for a path. */
  key: string;
  from: string;
  to: string;
  /** A hop's: label of its client's session. A path's: `ORIGIN>RECEIVER`, one label if equal. */
  route: string;
  /** Hops of the path; 1 for a single hop. */
  hops: number;
  echo: boolean;
  /** Messages in the figures: warm-up left out. */
  count: number;
  per_second: number;
  /** Of payload. */
  bytes_per_second?: number;
  /** Messages whose corrected delay was below zero (counted as 0 in the histogram). */
  negative: number;
  /** Messages received while the clocks' offset was unknown: counted, but not in `ms`. */
  uncorrected: number;
  /** Corrected one-way delay; a path's is the sum of its hops'. Absent until one was measured. */
  ms?: DelayFigures;
  /** Where percentiles of `ms` lie with 95 % confidence; an end that is open is absent. */
  confidence_ms?: { p50: Interval; p95: Interval; p99: Interval };
  /** Last received − first sent, the relay's residence included. Paths only. */
  elapsed_ms?: DelayFigures;
  /** Bound on the error of `ms`. */
  error_ms?: { p50: number; max: number };
  /** |difference of delay| of neighbours in sequence (RFC 3393). */
  ipdv_ms?: DelayFigures;
  /**
   * Jitter smoothed as in RFC 3550, section 6.4.1, over the pairs of `ipdv_ms` as they become
   * complete; mean of the sessions' by their numbers of pairs.
   */
  jitter_ms?: number;
  /** Base64 of the compressed V2 HdrHistogram of `ms`, unit 0.1 µs. */
  hdr?: string;
}

/** One route of a client: what it sent, and the RTT of its clock exchanges. */
export interface RouteSummary {
  route: string;
  /** Address as the user wrote it. */
  server: string;
  state: "connecting" | "warming-up" | "measuring" | "closed";
  /** While warming up: how many of the warm-up messages have been sent. */
  warmed_up?: { sent: number; of: number };
  sent: number;
  /** Slots missed while disconnected, never sent late. */
  unsent: number;
  /** Sent after the last count of a session that ended without the relay's bye. */
  unconfirmed: number;
  /** Times that the connection was made again. */
  reconnects: number;
  rtt_ms?: DelayFigures;
  /** Where there are several. */
  flows?: FlowSummary[];
  flow_spread?: FlowSpread;
}

/** One of a route's connections. */
export interface FlowSummary {
  /** From 0. */
  flow: number;
  sent: number;
  /** Its messages that were lost on the way to the relay. */
  up: number;
  /** Its echoes that were lost on the way back; 0 where there are none. */
  down: number;
  /** Round trips of its clock exchange. */
  rtt_ms?: DelayFigures;
  /** Of its messages, where they come back. */
  round_trip_ms?: DelayFigures;
}

/** How far the flows of a route lie apart, by their medians. */
export interface FlowSpread {
  by: "round_trip_ms" | "rtt_ms";
  fastest: number;
  slowest: number;
  /** The slowest flow's median less the fastest's. */
  ms: number;
}

/** Difference of two routes between the same places, pair by pair: b − a, negative: b is faster. */
export interface DifferenceSummary {
  a: string;
  b: string;
  from: string;
  to: string;
  pairs: number;
  /** Bound on the error of a pair's difference: of the clock's rate alone, the offset cancels. */
  error_ms?: { p50: number; max: number };
  owd_ms?: DelayFigures;
  /** 95 % confidence interval of the median of `owd_ms`, by order statistics. */
  owd_median_ms?: { low: number; high: number };
  round_trip_ms?: DelayFigures;
  round_trip_median_ms?: { low: number; high: number };
}

/** What a sink did with the records that it was given. */
export interface SinkSummary {
  /** What and where: `ndjson records.ndjson`, `firehose eu-west-1:stream`. */
  sink: string;
  accepted: number;
  /** Left in the spool by an earlier run, and taken over. */
  recovered?: number;
  /** Accepted or recovered, and neither sent nor given up: waiting, or under way. */
  queued: number;
  /** Of the queued, those on disk: they survive the process. */
  spooled?: number;
  /** Written, or acknowledged by the service. */
  sent: number;
  /** Records sent again, once for each time. */
  retried: number;
  /** Given up because they could not be written or sent. */
  failed: number;
  /** Given up because what waits had reached its limit. */
  dropped: number;
  /** Age of the oldest queued record, in seconds; 0 where none is. */
  oldest_waiting_s: number;
}

/** One connected session, as a server sees it. */
export interface SessionSummary {
  name: string;
  route: string;
  peer: string;
  rtt_ms?: number;
  error_ms?: number;
  backlog_bytes: number;
  dropped: number;
}

/** The whole: `--json`'s document, and the input of every table. */
/** What UDP sockets of this machine lost, which counts as lost on the way. */
export interface UdpSummary {
  /** Datagrams that the system did not send. */
  send_failures: number;
  /** Datagrams that arrived and found no room; absent where the system does not tell. */
  kernel_drops?: number;
  /** Server only: datagrams that belonged to no session. */
  strange?: number;
}

export interface RunSummary {
  version: 1;
  tool: "performance-client" | "performance-server";
  tool_version: string;
  config: Record<string, unknown>;
  /** ISO 8601, µs. */
  started: string;
  /** First send to the last frame received or confirmed by the relay's bye. */
  seconds: number;
  sent: number;
  received: number;
  warmup: number;
  /** Client only. */
  routes?: RouteSummary[];
  differences?: DifferenceSummary[];
  /** Server only: sessions connected now. */
  sessions?: SessionSummary[];
  keys: KeySummary[];
  residence_ms?: DelayFigures;
  fanout_ms?: DelayFigures;
  lag_ms?: DelayFigures;
  sinks: SinkSummary[];
  /** Server only: connections that were turned away, and clients that were sent away, by reason. */
  refusals?: Record<string, number>;
  /** Where messages travel over UDP. */
  udp?: UdpSummary;
  /** Things that the reader must know to read the figures right (a flood's queues, a clock step). */
  notes: string[];
}
