/** Sends by the schedule: one message on every flow in each slot. */
import { createPreciseTimer } from "../platform/precise-timer.ts";
import { createPacing, type Pacing } from "./pacing.ts";
import { createRotation, isComplete, pickSize, type Sender, type SenderOptions } from "./sender.ts";

/** A slot this late is missed: the process slept, and its messages would say nothing. */
const TOO_LATE_US = 10_000_000;
/** Slots made up for in one turn of the event loop, so that receiving has its turns too. */
const SLOTS_A_TURN = 256;

export function createPacedSender(
  options: SenderOptions & { minUs: number; maxUs: number },
): Sender {
  const { flows, nowUs, count } = options;
  const forEachFlow = createRotation(flows);
  let pacing: Pacing | undefined;

  const sendSlot = (slotUs: number): void => {
    const isMissed = nowUs() - slotUs > TOO_LATE_US;
    const payloadBytes = pickSize(options);
    forEachFlow((flow) => {
      if (isComplete(flow, count)) return;
      if (isMissed) flow.miss();
      // What the system takes for the sending is no part of the lag: the message is stamped before.
      else if (flow.send(slotUs, payloadBytes)) options.lag(flow.session!.sentUs - slotUs);
    });
  };

  const timer = createPreciseTimer(nowUs, () => {
    if (pacing === undefined) return;
    for (let slot = 0; slot < SLOTS_A_TURN && pacing.nextUs <= nowUs(); slot++) {
      sendSlot(pacing.take());
      if (flows.every((flow) => isComplete(flow, count))) return options.finished();
    }
    timer.at(pacing.nextUs);
  });

  return {
    start() {
      pacing = createPacing({ ...options, startUs: nowUs() });
      timer.at(pacing.nextUs);
    },
    stop() {
      pacing = undefined;
      timer.cancel();
    },
    opened() {},
    ended() {},
    echo() {},
    drained() {},
  };
}
