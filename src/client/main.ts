/** The client: sends messages over one or many routes, and measures what comes back. */
import { runProgram } from "../cli/program.ts";
import { clientOptions } from "./options.ts";
import { runClient } from "./run.ts";

if (process.argv[2] === "report") {
  // Loaded only where it is asked for, so that the client starts as fast as without it.
  import("../report/main.ts").then(({ startReport }) => startReport(process.argv.slice(3)));
} else {
  runProgram(clientOptions, runClient);
}
