/** Flows that tests open, fill and empty at will, and that note what was sent on them. */
import {
  beginHop,
  dataFrameBytes,
  readFlags,
  readIntendedUs,
  readPayloadBytes,
  readSequence,
  writeDataFrame,
} from "../relay/data-frame.ts";
import type { Flow } from "./flow.ts";
import type { Sender } from "./sender.ts";
import type { ClientSession } from "./session.ts";

export interface SentMessage {
  sequence: number;
  intendedUs: number;
  payloadBytes: number;
  flags: number;
}

export interface FakeFlow extends Flow {
  /** All that was sent, over all sessions. */
  readonly log: SentMessage[];
  /** The link takes what is handed to it at once. */
  takesAtOnce: boolean;
  /** What the link has not written yet; it is copied only when it is written, as by a socket. */
  readonly heldBytes: number;
  rttUs: number;
  /** A session opens. */
  open(): void;
  /** The session ends. */
  lose(): void;
  /** Everything held has been written. */
  drain(sender: Sender): void;
}

const HOP_SLOTS = 2;

/**
 * @param warmUp messages of each session
 * @param nowUs stamps messages
 * @param onSend is told of each sent message
 */
export function createFakeFlow({ warmUp = 0, nowUs = () => 0, onSend = () => {} }: {
  warmUp?: number;
  nowUs?: () => number;
  onSend?: (message: SentMessage) => void;
} = {}): FakeFlow {
  const log: SentMessage[] = [];
  let held: Uint8Array[] = [];
  let session: ClientSession | undefined;
  let sessionSent = 0;
  let sentUs = NaN;
  let sent = 0;
  let warmedUp = 0;
  let measured = 0;
  let unsent = 0;

  const note = (message: SentMessage): void => {
    log.push(message);
    onSend(message);
  };

  /** The bytes leave: only now are they looked at. */
  const write = (bytes: Uint8Array): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.byteLength; at += view.getUint32(at, true)) {
      note({
        sequence: readSequence(view, at),
        intendedUs: readIntendedUs(view, at),
        payloadBytes: readPayloadBytes(view, at),
        flags: readFlags(view, at),
      });
    }
  };

  const createSession = (): ClientSession =>
    ({
      state: "open",
      welcome: { hopSlots: HOP_SLOTS },
      get sent() {
        return sessionSent;
      },
      get sentUs() {
        return sentUs;
      },
      get rttUs() {
        return flow.rttUs;
      },
      get backlogBytes() {
        return flow.heldBytes;
      },
      writeMessage(frames, at, intendedUs, payloadBytes, isWarmUp) {
        writeDataFrame(frames.view, at, {
          flags: isWarmUp ? 1 : 0,
          hopSlots: HOP_SLOTS,
          origin: 1,
          sequence: ++sessionSent,
          intendedUs,
          payloadBytes,
        });
        beginHop(frames.view, at);
        return at + dataFrameBytes(HOP_SLOTS, payloadBytes);
      },
      sendFrames(frames, end) {
        const bytes = frames.bytes.subarray(0, end);
        if (flow.takesAtOnce && held.length === 0) write(bytes);
        else held.push(bytes);
      },
    }) as ClientSession;

  const flow: FakeFlow = {
    log,
    takesAtOnce: true,
    rttUs: NaN,
    get heldBytes() {
      return held.reduce((sum, { byteLength }) => sum + byteLength, 0);
    },
    open() {
      session = createSession();
      sessionSent = 0;
      warmedUp = 0;
    },
    lose() {
      session = undefined;
      held = [];
    },
    drain(sender) {
      const left = held;
      held = [];
      for (const bytes of left) write(bytes);
      if (session !== undefined) sender.drained(flow, session);
    },
    route: { label: "direct", host: "", port: 0, address: "" },
    flow: 0,
    get session() {
      return session;
    },
    get isOpen() {
      return session !== undefined;
    },
    stopped: false,
    tried: true,
    get sent() {
      return sent;
    },
    get measured() {
      return measured;
    },
    get warmedUp() {
      return warmedUp;
    },
    get warmingUp() {
      return warmedUp < warmUp;
    },
    get unsent() {
      return unsent;
    },
    unconfirmed: 0,
    reconnects: 0,
    send(intendedUs, payloadBytes) {
      if (session === undefined || held.length > 0) {
        flow.miss();
        return false;
      }
      sessionSent++;
      sentUs = nowUs();
      note({ sequence: sessionSent, intendedUs, payloadBytes, flags: flow.warmingUp ? 1 : 0 });
      flow.countSent();
      return true;
    },
    miss() {
      unsent++;
    },
    countSent() {
      sent++;
      if (flow.warmingUp) warmedUp++;
      else measured++;
    },
    welcomed() {},
    opened() {},
    ended() {},
    stop() {},
  };
  return flow;
}
