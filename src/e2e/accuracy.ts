/**
 * How true the figures are, outside the test command: real processes under fake clocks, through
 * proxies of known delays, against the truth.
 *
 *     node src/e2e/accuracy.ts [MESSAGES [CLOCK]]
 *
 * Prints two tables as Markdown, of the clocks whose names have CLOCK. Exit code 1 where an error exceeded its bound.
 */
import { spawnSync } from "node:child_process";
import {
  CLOCKS,
  differenceErrors,
  hopErrors,
  quantile,
  ROUTES,
  run,
  WAYS,
} from "./accuracy-runs.ts";

const messages = Number(process.argv[2] ?? 600);
const clocks = CLOCKS.filter(({ name }) => name.includes(process.argv[3] ?? ""));

const us = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

async function hopTable(): Promise<boolean> {
  console.log(
    "| way | client's clock | hops | ± p50, µs | error p95, µs | max, µs | largest error / ± |",
  );
  console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
  let holds = true;
  for (const { name, way } of WAYS) {
    for (const clock of clocks) {
      const result = await run(clock, { way }, messages);
      const { errorsUs, boundsUs, worstOfBound } = hopErrors(result);
      holds &&= worstOfBound <= 1;
      console.log(
        `| ${name} | ${clock.name} | ${errorsUs.length} | ${us(quantile(boundsUs, 0.5))} | ` +
          `${us(quantile(errorsUs, 0.95))} | ${us(quantile(errorsUs, 1))} | ${
            worstOfBound.toFixed(2)
          } |`,
      );
    }
  }
  return holds;
}

async function differenceTable(): Promise<void> {
  console.log(
    "\n| client's clock | pairs | up: error p50, µs | p95, µs | p95 by one clock, µs | " +
      "down: p95, µs | mean told, up and down, off by, µs |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const clock of clocks) {
    const { upUs, upByOneClockUs, downUs, toldUs } = differenceErrors(
      await run(clock, ROUTES, messages),
    );
    console.log(
      `| ${clock.name} | ${upUs.length} | ${us(quantile(upUs, 0.5))} | ` +
        `${us(quantile(upUs, 0.95))} | ${us(quantile(upByOneClockUs, 0.95))} | ` +
        `${us(quantile(downUs, 0.95))} | ${us(toldUs.up)}, ${us(toldUs.down)} |`,
    );
  }
}

if (spawnSync("faketime", ["--version"]).error) {
  console.error("accuracy: faketime is not installed");
  process.exitCode = 1;
} else {
  const holds = await hopTable();
  await differenceTable();
  if (!holds) process.exitCode = 1;
}
