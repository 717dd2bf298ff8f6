/** Why somebody was turned away: what a server counts, one by one. */

export const REFUSAL_REASONS = [
  /** Spoke something else: another protocol, another version, a port scan. */
  "stranger",
  /** Came and left without a word: most often the health check of a load balancer. */
  "left",
  /** Said no hello, or shook no hands, in time. */
  "slow",
  /** TLS where there is none, none where there has to be, or a handshake that failed. */
  "tls",
  /** Showed no client certificate that is trusted. */
  "certificate",
  /** Named no token where there has to be one, or the other way round. */
  "no-token",
  /** Could not prove that it knows the token. */
  "wrong-token",
  /** There are as many clients as there may be. */
  "full",
  /** There are as many connections from its address as there may be. */
  "per-address",
  /** There are as many connections as there may be in all. */
  "crowded",
  /** The server may have no more files and sockets open. */
  "descriptors",
  /** Made room for others: too many connections had said no hello yet. */
  "half-open",
  /** Sent more than it may. */
  "rate",
  /** Broke a rule of the wire format in its session. */
  "protocol",
] as const;
export type RefusalReason = typeof REFUSAL_REASONS[number];
