import { frameTargets } from "./frame-targets.ts";
import { fileTargets } from "./file-targets.ts";
import { recordTargets } from "./record-targets.ts";
import { secretTargets } from "./secret-targets.ts";
import { sessionTargets } from "./session-targets.ts";
import { datagramTargets } from "./datagram-targets.ts";
import { httpTargets } from "./http-targets.ts";
import { platformTargets } from "./platform-targets.ts";
import type { Target } from "./target.ts";

/** Everything that takes bytes from outside. */
export const targets: readonly Target[] = [
  ...frameTargets,
  ...sessionTargets,
  ...datagramTargets,
  ...secretTargets,
  ...httpTargets,
  ...platformTargets,
  ...fileTargets,
  ...recordTargets,
];
