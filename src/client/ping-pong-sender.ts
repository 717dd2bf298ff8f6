/**
 * Sends one message on every flow, and the next ones once all have come back. One that is missing
 * for the larger of 1 s and four round trips is given up; a slot in which no flow is open takes
 * as long, so that a run with a count ends.
 */
import { readSequence } from "../relay/data-frame.ts";
import type { Flow } from "./flow.ts";
import { createRotation, isComplete, pickSize, type Sender, type SenderOptions } from "./sender.ts";

const LEAST_PATIENCE_US = 1_000_000;
const PATIENCE_RTTS = 4;

export function createPingPongSender(options: SenderOptions): Sender {
  const { flows, nowUs, count } = options;
  const forEachFlow = createRotation(flows);
  /** Flows whose echo is awaited, with its sequence. */
  const outstanding = new Map<Flow, number>();
  let running = false;
  let patience: ReturnType<typeof setTimeout> | undefined;

  const patienceMs = (): number => {
    const rttsUs = flows.map((flow) => PATIENCE_RTTS * (flow.session?.rttUs ?? 0));
    return Math.max(LEAST_PATIENCE_US, ...rttsUs.filter(Number.isFinite)) / 1000;
  };

  const sendSlot = (): void => {
    clearTimeout(patience);
    outstanding.clear();
    if (!running) return;
    if (flows.every((flow) => isComplete(flow, count))) {
      running = false;
      return options.finished();
    }
    const slotUs = nowUs();
    const payloadBytes = pickSize(options);
    forEachFlow((flow) => {
      if (isComplete(flow, count) || !flow.send(slotUs, payloadBytes)) return;
      outstanding.set(flow, flow.session!.sent);
    });
    patience = setTimeout(sendSlot, patienceMs());
  };

  const goOnWithout = (flow: Flow): void => {
    if (outstanding.delete(flow) && outstanding.size === 0) sendSlot();
  };

  return {
    start() {
      running = true;
      sendSlot();
    },
    stop() {
      running = false;
      clearTimeout(patience);
    },
    opened() {
      if (running && outstanding.size === 0) sendSlot();
    },
    ended: goOnWithout,
    echo(flow, view, at) {
      if (outstanding.get(flow) === readSequence(view, at)) goOnWithout(flow);
    },
    drained() {},
  };
}
