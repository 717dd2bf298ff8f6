/** Messages as they arrive, and the sessions that they arrive in, for tests of what is made of them. */
import {
  beginHop,
  ClockMethod,
  type ClockMethodName,
  dataFrameBytes,
  finishHop,
  FLAG_WARM_UP,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import type { MessageRun } from "../relay/message-run.ts";
import type { ProcessPair } from "../relay/process-pairs.ts";
import { createOrigin, type Origin } from "./origins.ts";
import type { ClientSession, SessionState } from "./session.ts";

export interface FakeHop {
  sentUs: number;
  receivedUs: number;
  correctionUs?: number;
  errorUs?: number;
  method?: ClockMethodName;
}

export interface FakeMessage {
  sequence?: number;
  slotUs?: number;
  warmUp?: boolean;
  payloadBytes?: number;
  hops: readonly FakeHop[];
}

/** A frame whose hops are finished. */
export function createMessage(message: FakeMessage): DataView {
  const { sequence = 1, slotUs = 0, warmUp = false, payloadBytes = 10, hops } = message;
  const hopSlots = hops.length;
  const view = new DataView(new ArrayBuffer(dataFrameBytes(hopSlots, payloadBytes)));
  const flags = warmUp ? FLAG_WARM_UP : 0;
  const frame = { flags, hopSlots, origin: 1, sequence, intendedUs: slotUs, payloadBytes };
  writeDataFrame(view, 0, frame);
  for (const hop of hops) {
    const { sentUs, receivedUs, correctionUs = 0, errorUs = 5, method = "estimate" } = hop;
    beginHop(view, 0);
    stampSent(view, 0, sentUs);
    finishHop(view, 0, receivedUs, correctionUs, errorUs, ClockMethod[method]);
  }
  return view;
}

/** One message by itself. */
export function createRun(
  message: FakeMessage,
  receivedUs = message.hops.at(-1)!.receivedUs,
): MessageRun {
  const view = createMessage(message);
  return { view, at: 0, frameBytes: view.byteLength, count: 1, receivedUs };
}

/** An origin; each has an id of its own by its number. */
export function createFakeOrigin(number: number, name: string, route: string): Origin {
  const sessionId = new Uint8Array(8).fill(number);
  return createOrigin({ session: number, sessionId, flow: 0, received: 0, next: 1, name, route });
}

/** The relay's process, to which sessions belong. */
export function createFakePair(processId = "bb"): ProcessPair {
  return { processId } as ProcessPair;
}

export type FakeClientSession = ClientSession & { state: SessionState };

/** A welcomed session of the client `here` to the relay `relay`. */
export function createFakeSession({ number, route, echo = true, pair }: {
  number: number;
  route: string;
  echo?: boolean;
  pair: ProcessPair;
}): FakeClientSession {
  const session = {
    state: "open",
    hello: { name: "here", route, flow: 0, echo },
    welcome: { name: "relay", sessionId: new Uint8Array(8).fill(number) },
    self: createFakeOrigin(number, "here", route),
    pair,
    link: { peer: "192.0.2.1:8080", transport: "tcp" },
    rttUs: 700,
  };
  return session as unknown as FakeClientSession;
}
