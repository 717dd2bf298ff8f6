/**
 * How many connections there may be: in all, from one source, and without a session yet. Counts
 * them from their first packet on, a handshake of TLS included.
 */
import type { RefusalReason } from "./refusal.ts";

/** One connection that was let in; who has it in hand says how it can be ended. */
export interface Admission {
  readonly source: string;
  /** Ends it, to make room. */
  evict: () => void;
}

export interface GateLimits {
  /** In all; beyond it nobody is told why. */
  connections: number;
  perSource: number;
  /** Without a session. Beyond it the oldest makes room: it had the most time. */
  halfOpen: number;
}

export interface Gate {
  /** Someone comes from `peer` (`host:port`). */
  enter(peer: string, evict: () => void): Admission | RefusalReason;
  /** It became a session, or will be none: it is half-open no more. */
  settled(admission: Admission): void;
  /** It has gone. */
  left(admission: Admission): void;
}

export function createGate(limits: GateLimits): Gate {
  const bySource = new Map<string, number>();
  /** The oldest first. */
  const halfOpen = new Set<Admission>();
  let connections = 0;

  return {
    enter(peer, evict) {
      const source = sourceOf(peer);
      const others = bySource.get(source) ?? 0;
      if (connections >= limits.connections) return "crowded";
      if (others >= limits.perSource) return "per-address";
      const admission = { source, evict };
      bySource.set(source, others + 1);
      connections++;
      halfOpen.add(admission);
      if (halfOpen.size > limits.halfOpen) {
        const [oldest] = halfOpen;
        halfOpen.delete(oldest!);
        oldest!.evict();
      }
      return admission;
    },
    settled: (admission) => void halfOpen.delete(admission),
    left(admission) {
      halfOpen.delete(admission);
      connections--;
      const others = bySource.get(admission.source)! - 1;
      if (others > 0) bySource.set(admission.source, others);
      else bySource.delete(admission.source);
    },
  };
}

/**
 * Whom connections are counted for: an IPv4 address, or the /64 of an IPv6 address, of which one
 * host may have as many as it likes.
 */
export function sourceOf(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(":"));
  if (!host.startsWith("[")) return host;
  const [start = "", end] = host.slice(1, -1).split("%")[0]!.split("::");
  const groups = start === "" ? [] : start.split(":");
  const last = end === undefined || end === "" ? [] : end.split(":");
  const zeros = end === undefined
    ? []
    : Array(Math.max(0, 8 - groups.length - last.length)).fill("0");
  const all = [...groups, ...zeros, ...last].map((group) => group.replace(/^0+(?=.)/, ""));
  return `${all.slice(0, 4).join(":")}::/64`;
}
