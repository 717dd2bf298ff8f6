/** The end of a run: echoes are awaited, byes exchanged, connections closed. */
import type { Flow } from "./flow.ts";

/** How often it looks whether something that it waits for has come. */
const LOOK_MS = 2;
const ECHO_PATIENCE_MS = 1_000;
const ECHO_PATIENCE_RTTS = 4;
const BYE_PATIENCE_MS = 1_000;
/** The bye may get lost, and the relay waits for what it overtook. */
const UDP_BYE_PATIENCE_MS = 4_000;

/**
 * Ends all flows: waits until every echo is back or 1 s + 4 × the largest RTT have passed, says
 * bye, and waits up to 1 s (over UDP 4 s) for the relay's bye with its counts; all within `graceMs`. A flood waits
 * for its bye as long as that allows, since it stands behind all that the flood has sent.
 */
export async function endFlows(
  flows: readonly Flow[],
  { graceMs, echo, isFlood, isUdp }: {
    graceMs: number;
    echo: boolean;
    isFlood: boolean;
    isUdp: boolean;
  },
): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  for (const flow of flows) flow.stop();
  if (echo && !isFlood) {
    const patienceMs = ECHO_PATIENCE_MS + ECHO_PATIENCE_RTTS * largestRttMs(flows);
    await until(
      () => flows.every(hasAllEchoes),
      Math.min(patienceMs, deadlineMs - performance.now()),
    );
  }
  const leaving = flows.flatMap(({ session }) => session ?? []);
  for (const session of leaving) session.leave();
  const byePatienceMs = isUdp ? UDP_BYE_PATIENCE_MS : BYE_PATIENCE_MS;
  const patienceMs = isFlood ? graceMs : byePatienceMs;
  const leftMs = Math.max(0, deadlineMs - performance.now());
  await until(
    () => leaving.every(({ state }) => state === "closed"),
    Math.min(patienceMs, leftMs),
  );
  for (const session of leaving) session.abandon("the server did not answer the bye in time");
}

function largestRttMs(flows: readonly Flow[]): number {
  const rttsUs = flows.map(({ session }) => session?.rttUs ?? NaN).filter(Number.isFinite);
  return Math.max(0, ...rttsUs) / 1000;
}

function hasAllEchoes({ session }: Flow): boolean {
  if (session?.self === undefined || session.state !== "open") return true;
  // What the relay does not pass on does not come back.
  if (!session.welcome!.metered) return true;
  return session.self.tracker.received >= session.sent;
}

/** Resolves when `isTrue`, or after `patienceMs`. */
async function until(isTrue: () => boolean, patienceMs: number): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!isTrue() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
