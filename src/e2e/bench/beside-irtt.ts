/**
 * Our client beside irtt over the same lossy, jittery way, at the same time, with enough messages to
 * tell chance from error. Each has a proxy of its own, which tells what it really did.
 *
 *     node src/e2e/bench/beside-irtt.ts [SECONDS [INTERVAL_MS]]
 *
 * Prints a table as Markdown. Exit code 1 where the two differ by more than 1 % (0.2 points of loss)
 * and that is no chance: more than three standard deviations of the difference. Below 10 ms of
 * interval messages overtake one another; neighbours are those in sequence, to both.
 */
import { owned } from "../owned.ts";
import { type PathRun, runIrttBeside, runOurs } from "./loss-and-delay.ts";

type Figure = keyof PathRun["sigma"];
const FIGURES: Record<Figure, string> = {
  rttMedianMs: "round trip, median, ms",
  upMedianMs: "one way up, median, ms",
  downMedianMs: "one way down, median, ms",
  ipdvMeanMs: "IPDV, mean, ms",
  lossPercent: "loss, %",
};

const seconds = Number(process.argv[2] ?? 300);
const intervalMs = Number(process.argv[3] ?? 10);
const [ours, irtt] = await owned((owner) =>
  Promise.all([
    runOurs(owner, { seconds, intervalMs, seed: 1 }),
    runIrttBeside(owner, { seconds, intervalMs, seed: 2 }),
  ])
);

console.log(`${ours.told.sent} messages of ours, ${irtt.told.sent} of irtt's\n`);
console.log("| figure | ours | irtt | ours − irtt | σ of that | ours − proxy's | irtt − proxy's |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const [figure, title] of Object.entries(FIGURES) as [Figure, string][]) {
  const [mine, theirs] = [ours.told[figure], irtt.told[figure]];
  const difference = mine - theirs;
  const sigma = Math.hypot(ours.sigma[figure], irtt.sigma[figure]);
  const isLoss = figure === "lossPercent";
  const show = (value: number): string =>
    isLoss ? `${value.toFixed(3)} points` : `${(100 * value / theirs).toFixed(2)} %`;
  const tolerance = isLoss ? 0.2 : 0.01 * theirs;
  if (Math.abs(difference) > Math.max(tolerance, 3 * sigma)) process.exitCode = 1;
  const cells = [
    ...[title, mine.toFixed(3), theirs.toFixed(3)],
    `${show(difference)}, ${(difference / sigma).toFixed(1)} σ`,
    show(sigma),
    ...[ours, irtt].map(({ told, truth }) => (told[figure] - truth[figure]).toFixed(3)),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
