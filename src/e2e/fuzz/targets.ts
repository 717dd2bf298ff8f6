import { frameTargets } from "./frame-targets.ts";
import { sessionTargets } from "./session-targets.ts";
import type { Target } from "./target.ts";

/** Everything that takes bytes from outside. */
export const targets: readonly Target[] = [
  ...frameTargets,
  ...sessionTargets,
];
