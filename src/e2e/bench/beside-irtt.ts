/**
 * Our client beside irtt over the same lossy, jittery way, with enough messages to tell chance from
 * error; in turns, so that both meet the same machine.
 *
 *     node src/e2e/bench/beside-irtt.ts [SECONDS]
 *
 * Prints a table as Markdown. Exit code 1 where the two differ by more than 1 % (0.2 points of loss)
 * and that is no chance: more than three standard deviations of the difference.
 */
import { owned } from "../owned.ts";
import { type PathFigures, type PathRun, runIrttBeside, runOurs } from "./loss-and-delay.ts";

const TURNS = 4;
const INTERVAL_MS = 2;
const seconds = Number(process.argv[2] ?? 200);

type Figure = keyof PathRun["sigma"];
const FIGURES: Record<Figure, string> = {
  rttMedianMs: "round trip, median, ms",
  upMedianMs: "one way up, median, ms",
  downMedianMs: "one way down, median, ms",
  ipdvMeanMs: "IPDV, mean, ms",
  lossPercent: "loss, %",
};

const turns = async (runTurn: (seed: number) => Promise<PathRun>, at: number, into: PathRun[]) =>
  void into.push(await runTurn(at + 1));

const ours: PathRun[] = [];
const irtt: PathRun[] = [];
for (let turn = 0; turn < TURNS; turn++) {
  const options = { seconds: seconds / TURNS, intervalMs: INTERVAL_MS };
  await turns((seed) => owned((owner) => runOurs(owner, { ...options, seed })), turn, ours);
  await turns((seed) => owned((owner) => runIrttBeside(owner, { ...options, seed })), turn, irtt);
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const told = (runs: readonly PathRun[], figure: keyof PathFigures): number =>
  meanOf(runs.map((run) => run.told[figure]));
const off = (runs: readonly PathRun[], figure: Figure): number =>
  meanOf(runs.map((run) => run.told[figure] - run.truth[figure]));
/** Of the mean of all turns. */
const sigmaOf = (runs: readonly PathRun[], figure: Figure): number =>
  Math.hypot(...runs.map((run) => run.sigma[figure])) / runs.length;

console.log(`${TURNS} × ${told(ours, "sent")} messages of ours, ${told(irtt, "sent")} of irtt's\n`);
console.log("| figure | ours | irtt | ours − irtt | σ of that | ours − proxy's | irtt − proxy's |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const [figure, title] of Object.entries(FIGURES) as [Figure, string][]) {
  const [mine, theirs] = [told(ours, figure), told(irtt, figure)];
  const difference = mine - theirs;
  const sigma = Math.hypot(sigmaOf(ours, figure), sigmaOf(irtt, figure));
  const isLoss = figure === "lossPercent";
  const shown = isLoss
    ? `${difference.toFixed(3)} points`
    : `${(100 * difference / theirs).toFixed(2)} %`;
  const tolerance = isLoss ? 0.2 : 0.01 * theirs;
  if (Math.abs(difference) > tolerance && Math.abs(difference) > 3 * sigma) process.exitCode = 1;
  const cells = [
    ...[title, mine.toFixed(3), theirs.toFixed(3), shown],
    `${(isLoss ? sigma : 100 * sigma / theirs).toFixed(2)}, so ${
      (difference / sigma).toFixed(1)
    } σ`,
    ...[ours, irtt].map((runs) => off(runs, figure).toFixed(3)),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
