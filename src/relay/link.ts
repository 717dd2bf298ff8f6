/**
 * A connection as the core sees it: bytes out, and a few ways to end it. Transports implement it;
 * the simulated network of the tests does too.
 */

import type { Mac } from "./proof.ts";

/** What a link runs over, as records name it. Only `udp` loses, doubles and reorders messages. */
export type TransportName = "tcp" | "udp";

/**
 * What over UDP is overtaken by the count that concerns it is waited for so long, µs; what comes
 * later is lost.
 */
export const STRAGGLERS_US = 250_000;

export interface Link {
  readonly transport: TransportName;
  /** Where the other end is, for people: `192.0.2.1:50000`. */
  readonly peer: string;
  /** Why the other end may be no client, as the transport knows; it may still be told so. */
  readonly refusal?: string;
  /**
   * Hands one bounded piece to the transport, which keeps the bytes until they are written.
   * Returns true where the piece was taken whole at once; otherwise `written` is called when it
   * has been, later than this returns. Never called again before that.
   */
  write(piece: readonly Uint8Array[]): boolean;
  /**
   * Stops reading: the peer feels it by the transport's own flow control. No `data` event comes
   * until `resume`.
   */
  pause(): void;
  resume(): void;
  /**
   * From now on what is sent can be known as ours, and nothing else is taken from the other end;
   * where `isProven` is false, not until the first of it has come. Where a transport has nothing to
   * add to what it is, it has no such method.
   */
  secure?(macs: { send: Mac; receive: Mac }, isProven: boolean): void;
  /** Ends the connection once everything handed over has been written. */
  end(): void;
  /** Ends the connection now; what was not yet written is lost. */
  destroy(): void;
}

/** What a transport tells the owner of a link. */
export interface LinkEvents {
  /**
   * Bytes arrived. The callee may write into them. On a link that it accepted it owns them; on one
   * that it opened they are lent to it until it returns.
   */
  data(chunk: Uint8Array): void;
  /** The piece last handed to `write` has left. */
  written(): void;
  /** The link is gone; nothing follows. `error` says why, where it was not a clean end. */
  closed(error?: Error): void;
}
