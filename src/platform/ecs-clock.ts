/**
 * What the ECS agent on Fargate says of its host's clock, in the task's metadata (version 4):
 * `"ClockDrift": {"ClockErrorBound": 0.54, "ReferenceTimestamp": "…Z",
 * "ClockSynchronizationStatus": "SYNCHRONIZED"}`, the bound in milliseconds.
 */

export interface EcsClockReading {
  boundUs: number;
  /** Unix milliseconds at which the bound held. */
  asOfUnixMs: number;
}

/** An old bound says little: the agent renews it every few minutes at most. */
const LONGEST_AGE_MS = 10 * 60_000;
/** What a clock may gain on its bound: AWS assumes 1 ppm, crystals do worse. */
const GROWTH_RATE = 25e-6;

/** Reads the answer of `…/task`; a text says why it tells nothing. */
export function parseEcsClock(text: string): EcsClockReading | string {
  let task: unknown;
  try {
    task = JSON.parse(text);
  } catch {
    return "the task's metadata is not JSON";
  }
  const drift = (task as { ClockDrift?: unknown } | null)?.ClockDrift;
  if (typeof drift !== "object" || drift === null) return "the task's metadata has no ClockDrift";
  const {
    ClockErrorBound: bound,
    ReferenceTimestamp: timestamp,
    ClockSynchronizationStatus: status,
  } = drift as Record<string, unknown>;
  if (status !== "SYNCHRONIZED") return "the task's host says that its clock is not synchronized";
  const asOfUnixMs = typeof timestamp === "string" ? Date.parse(timestamp) : NaN;
  // A bound beyond that says nothing.
  const isBound = typeof bound === "number" && bound >= 0 && bound <= LONGEST_AGE_MS;
  if (!isBound || !Number.isFinite(asOfUnixMs)) {
    return "the task's ClockDrift is malformed";
  }
  return { boundUs: bound * 1000, asOfUnixMs };
}

/**
 * The bound in µs at a wall clock's time; NaN where the reading is too old, or of a time that is
 * yet to come by more than the same.
 */
export function ecsBoundAt({ boundUs, asOfUnixMs }: EcsClockReading, nowUnixMs: number): number {
  const ageMs = Math.abs(nowUnixMs - asOfUnixMs);
  return ageMs > LONGEST_AGE_MS ? NaN : boundUs + ageMs * 1000 * GROWTH_RATE;
}
