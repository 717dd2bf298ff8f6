/** The server: a relay on a TCP port, its figures on the console, its records in a sink. */
import { runProgram } from "../cli/program.ts";
import { serverOptions } from "./options.ts";
import { runServer } from "./run.ts";

runProgram(serverOptions, runServer);
