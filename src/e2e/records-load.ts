/**
 * Load tests of the way of records to Firehose, outside the test command:
 *
 *     node src/e2e/records-load.ts faults   200,000 records, faults, two outages, a kill -9
 *     node src/e2e/records-load.ts hang     delays beside an endpoint that hangs, and without a sink
 *     node src/e2e/records-load.ts dead     50,000 records a second into nothing: memory, counts
 *     node src/e2e/records-load.ts rate     records a second that arrive, and what they cost
 *
 * Each runs the executables of `dist` on this machine for some minutes, prints what it saw, and
 * ends with 1 where a promise was broken.
 */
import { deadEndpoint } from "./records-load/dead-endpoint.ts";
import { faultsAndOutages } from "./records-load/faults-and-outages.ts";
import { hangingEndpoint } from "./records-load/hanging-endpoint.ts";
import { sustainedRate } from "./records-load/sustained-rate.ts";
import { createBench } from "./records-load/bench.ts";

const cases = {
  faults: faultsAndOutages,
  hang: hangingEndpoint,
  dead: deadEndpoint,
  rate: sustainedRate,
} as const;

const run = Object.entries(cases).find(([name]) => name === process.argv[2])?.[1];
if (run === undefined) {
  console.error(`records-load: expected one of ${Object.keys(cases).join(", ")}`);
  process.exit(2);
}
const bench = await createBench();
try {
  await run(bench);
} finally {
  await bench.end();
}
process.exit(bench.broken() > 0 ? 1 : 0);
