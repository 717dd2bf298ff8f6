/** The client: sends messages over one or many routes, and measures what comes back. */
import { runProgram } from "../cli/program.ts";
import { clientOptions } from "./options.ts";

// Loaded only where it is asked for: help, and what is wrong with a command line, come at once.
if (process.argv[2] === "report") {
  import("../report/main.ts").then(({ startReport }) => startReport(process.argv.slice(3)));
} else {
  runProgram(clientOptions, async (config, context) => {
    const { runClient } = await import("./run.ts");
    return await runClient(config, context);
  });
}
