/**
 * Sends as fast as the relay takes it, which is as fast as the slowest receiver takes it. Messages
 * are written one after another into a few buffers that are used again once they have left.
 */
import { dataFrameBytes } from "../relay/data-frame.ts";
import { MAX_PAYLOAD_BYTES } from "../relay/frame.ts";
import type { Flow } from "./flow.ts";
import type { Frames } from "./message-writer.ts";
import { isComplete, pickSize, type Sender, type SenderOptions } from "./sender.ts";
import type { ClientSession } from "./session.ts";

const BUFFER_BYTES = 64 * 1024;
/** Buffers filled in one turn of the event loop, so that receiving has its turns too. */
const BUFFERS_A_TURN = 8;
/** One leaves while the other is filled. */
const BUFFERS = 2;

/** What one flow writes its messages into. */
interface Supply {
  readonly buffers: readonly Frames[];
  /** Payload of the next message. A large one that finds no room is the first of the next buffer. */
  payloadBytes: number;
}

export function createFloodSender(options: SenderOptions): Sender {
  const { flows, nowUs, count } = options;
  const supplies = new Map<Flow, Supply>();
  /** Flows whose next turn is planned. */
  const waiting = new Set<Flow>();
  let running = false;

  const fill = (flow: Flow, session: ClientSession, frames: Frames, supply: Supply): void => {
    const { hopSlots } = session.welcome!;
    let end = 0;
    do {
      end = session.writeMessage(frames, end, nowUs(), supply.payloadBytes, flow.warmingUp);
      flow.countSent();
      supply.payloadBytes = pickSize(options);
    } while (
      !isComplete(flow, count) &&
      end + dataFrameBytes(hopSlots, supply.payloadBytes) <= BUFFER_BYTES
    );
    session.sendFrames(frames, end);
  };

  const supplyOf = (flow: Flow): Supply => {
    let supply = supplies.get(flow);
    if (supply === undefined) {
      const buffers = Array.from({ length: BUFFERS }, () => {
        // One message at least, whatever its size and its room for hops.
        const bytes = new Uint8Array(dataFrameBytes(255, MAX_PAYLOAD_BYTES));
        return { bytes, view: new DataView(bytes.buffer) };
      });
      supplies.set(flow, supply = { buffers, payloadBytes: pickSize(options) });
    }
    return supply;
  };

  /** A route that is not there has no slots to miss: the others do not wait for it. */
  const finishIfAllAre = (): void => {
    if (!running || !flows.some((flow) => isComplete(flow, count))) return;
    if (!flows.every((flow) => isComplete(flow, count) || !flow.isOpen)) return;
    running = false;
    options.finished();
  };

  const pump = (flow: Flow): void => {
    if (waiting.has(flow)) return;
    const supply = supplyOf(flow);
    for (let turn = 0; turn < BUFFERS_A_TURN; turn++) {
      const { session } = flow;
      if (!running || session === undefined || !flow.isOpen) return;
      if (session.backlogBytes > 0) return;
      for (const frames of supply.buffers) {
        if (isComplete(flow, count)) break;
        fill(flow, session, frames, supply);
        // Taken at once: the same buffer may be filled again.
        if (session.backlogBytes === 0) break;
      }
      if (isComplete(flow, count)) return finishIfAllAre();
    }
    waiting.add(flow);
    setImmediate(() => {
      waiting.delete(flow);
      pump(flow);
    });
  };

  return {
    start() {
      running = true;
      for (const flow of flows) pump(flow);
    },
    stop() {
      running = false;
    },
    opened: pump,
    ended: finishIfAllAre,
    echo() {},
    drained: pump,
  };
}
