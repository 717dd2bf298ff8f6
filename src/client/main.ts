/** The client: sends messages over one or many routes, and measures what comes back. */
import { runProgram } from "../cli/program.ts";
import { clientOptions } from "./options.ts";
import { runClient } from "./run.ts";

runProgram(clientOptions, runClient);
