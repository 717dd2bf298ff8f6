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
  /**
   * Without a session. Beyond it the oldest makes room, which had the most time: that of whoever
   * comes, where many of them are his, so that one address does not push out the others.
   */
  halfOpen: number;
}

export interface Gate {
  /** Someone comes from `peer` (`host:port`). */
  enter(peer: string, evict: () => void): Admission | RefusalReason;
  /** It became a session: it is half-open no more. */
  settled(admission: Admission): void;
  /** It has gone. */
  left(admission: Admission): void;
}

/** A source that has more than this share of the half-open makes room from among its own. */
const LARGE_SHARE = 0.1;

interface Source {
  connections: number;
  /** The oldest first. */
  readonly halfOpen: Set<Admission>;
}

export function createGate(limits: GateLimits): Gate {
  const sources = new Map<string, Source>();
  /** The oldest first. */
  const halfOpen = new Set<Admission>();
  let connections = 0;

  const settled = (admission: Admission): void => {
    halfOpen.delete(admission);
    sources.get(admission.source)?.halfOpen.delete(admission);
  };

  const makeRoom = (newcomer: Source): void => {
    const others = newcomer.halfOpen.size - 1;
    const isLarge = others > limits.halfOpen * LARGE_SHARE;
    const [oldest] = isLarge ? newcomer.halfOpen : halfOpen;
    settled(oldest!);
    oldest!.evict();
  };

  return {
    enter(peer, evict) {
      const name = sourceOf(peer);
      if (connections >= limits.connections) return "crowded";
      const source = sources.get(name) ?? { connections: 0, halfOpen: new Set() };
      if (source.connections >= limits.perSource) return "per-address";
      const admission = { source: name, evict };
      sources.set(name, source);
      source.connections++;
      connections++;
      source.halfOpen.add(admission);
      halfOpen.add(admission);
      if (halfOpen.size > limits.halfOpen) makeRoom(source);
      return admission;
    },
    settled,
    left(admission) {
      settled(admission);
      connections--;
      const source = sources.get(admission.source)!;
      if (--source.connections === 0) sources.delete(admission.source);
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
