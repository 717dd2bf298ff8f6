/** The server: a relay on a TCP port, its figures on the console, its records in a sink. */
import { runProgram } from "../cli/program.ts";
import { serverOptions } from "./options.ts";

// Loaded only where it is asked for: help, and what is wrong with a command line, come at once.
runProgram(serverOptions, async (config, context) => {
  const { runServer } = await import("./run.ts");
  return await runServer(config, context);
});
