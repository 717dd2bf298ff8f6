/** What the three ways of sending share: who sends, what, and when it is enough. */
import type { NowUs } from "../relay/time.ts";
import type { Flow } from "./flow.ts";
import type { ClientSession } from "./session.ts";

export interface SenderOptions {
  /** All flows of all routes, in the order given. */
  flows: readonly Flow[];
  /** Messages to measure on each flow; undefined: no end. */
  count: number | undefined;
  /** Payload sizes: one of them, at random, for each slot. */
  sizes: readonly number[];
  /** Payloads begin with a text of so many bytes, which is never cut off. */
  prefixBytes: number;
  nowUs: NowUs;
  /** Numbers in [0, 1). */
  random: () => number;
  /** A message was sent so much later than its slot, µs. */
  lag: (lagUs: number) => void;
  /** Each flow has sent what it was to send. */
  finished: () => void;
}

export interface Sender {
  start(): void;
  stop(): void;
  /** A session opened. */
  opened(flow: Flow): void;
  /** A session ended. */
  ended(flow: Flow): void;
  /** A message of the session's own came back. */
  echo(flow: Flow, view: DataView, at: number): void;
  /** Everything that the session sent has been written. */
  drained(flow: Flow, session: ClientSession): void;
}

/** Whether a flow has sent all that it was to send; missed slots count, so that a run ends. */
export function isComplete(flow: Flow, count: number | undefined): boolean {
  return count !== undefined && flow.measured + flow.unsent >= count;
}

/** A slot's payload size. */
export function pickSize({ sizes, prefixBytes, random }: SenderOptions): number {
  return Math.max(prefixBytes, sizes[Math.floor(random() * sizes.length)]!);
}

/** Hands out the flows in rotating order, so that none is always first. */
export function createRotation(flows: readonly Flow[]): (each: (flow: Flow) => void) => void {
  let first = 0;
  return (each) => {
    for (let i = 0; i < flows.length; i++) each(flows[(first + i) % flows.length]!);
    first = (first + 1) % flows.length;
  };
}
