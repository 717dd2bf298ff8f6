/**
 * How true the figures are, outside the test command: real processes under fake clocks, through
 * proxies of known delays, against the truth.
 *
 *     node src/e2e/accuracy.ts [MESSAGES]
 *
 * Prints two tables as Markdown. Exit code 1 where an error exceeded its bound.
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

const us = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

async function hopTable(): Promise<boolean> {
  console.log(
    "| way | client's clock | hops | ± p50, µs | error p95, µs | max, µs | largest error / ± |",
  );
  console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
  let holds = true;
  for (const { name, way } of WAYS) {
    for (const clock of CLOCKS) {
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
  console.log("\n| client's clock | pairs | error p50, µs | p95, µs | p95 over its control, µs |");
  console.log("| --- | ---: | ---: | ---: | ---: |");
  for (const clock of CLOCKS.slice(1)) {
    const control = differenceErrors(await run(CLOCKS[0]!, ROUTES, messages));
    const errors = differenceErrors(await run(clock, ROUTES, messages));
    const [p95, controlP95] = [quantile(errors, 0.95), quantile(control, 0.95)];
    console.log(
      `| ${clock.name} | ${errors.length} | ${us(quantile(errors, 0.5))} | ${us(p95)} | ` +
        `${us(p95 - controlP95)} |`,
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
