/**
 * Starts a program and, beside it, tells what its clock shows: both run under the same fake clock
 * (`faketime … node clock-beacon.ts PORT PROGRAM ARGUMENT…`), the truth listens on PORT with a clock
 * that is not faked. See clock-truth.ts.
 */
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { createSharpClock } from "./clock-truth.ts";

const EVERY_MS = 5;

const [port, program, ...args] = process.argv.slice(2);
const child = spawn(program!, args, { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));

const clock = createSharpClock();
const socket = dgram.createSocket("udp4");
/** When the newest request left, then of the last answered one: left, arrived there, answered here. */
const times = new Float64Array(4);
socket.on("message", (answer) => {
  const nowUs = clock.nowUs();
  const sentUs = answer.readDoubleLE(0);
  times[1] = sentUs;
  times[2] = answer.readDoubleLE(8);
  times[3] = nowUs;
});
socket.connect(Number(port), "127.0.0.1", () => {
  setInterval(() => {
    times[0] = clock.nowUs();
    socket.send(new Uint8Array(times.buffer.slice(0)));
  }, EVERY_MS);
});
