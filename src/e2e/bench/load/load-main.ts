/**
 * The load program: sends as fast as the relay takes it, or receives and counts bytes only.
 *
 *     node load-main.ts send|receive PROTOCOL PORT CONNECTIONS
 *
 * Prints `{"ms":…,"bytes":…}`, what all connections got so far and when, once all are welcome and
 * then every 50 ms.
 */
import net from "node:net";
import { type Protocol, type ProtocolName, protocolOf, type Role } from "./protocols.ts";

const BLOCK_BYTES = 64 * 1024;
const READ_BYTES = 1024 * 1024;
/** Blocks written in one turn of the event loop, so that answers are read too. */
const BLOCKS_A_TURN = 8;
const REPORT_MS = 50;

function flood(socket: net.Socket, { message, number }: Protocol): void {
  const messages = Math.floor(BLOCK_BYTES / message.byteLength);
  const block = Buffer.alloc(messages * message.byteLength, message);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let next = 1;
  const pump = (): void => {
    for (let i = 0; i < BLOCKS_A_TURN; i++) {
      number?.(view, next);
      next += messages;
      let isWritten = false;
      socket.write(block, () => {
        if (isWritten) return;
        pump();
      });
      if (socket.writableLength > 0) return;
      isWritten = true;
    }
    setImmediate(pump);
  };
  pump();
}

const [role, name, port, connections] = process.argv.slice(2) as [
  Role,
  ProtocolName,
  string,
  string,
];
const protocol = protocolOf(name);
/** All sockets read into it: nobody looks at what they read, so it costs as little as can be. */
const buffer = new Uint8Array(READ_BYTES);
let welcomed = 0;
let bytes = 0;

const report = (): void => {
  const ms = performance.timeOrigin + performance.now();
  process.stdout.write(`${JSON.stringify({ ms, bytes })}\n`);
};

function connect(): void {
  let answer = Buffer.alloc(0);
  let isWelcome = false;
  const socket = net.connect({
    host: "127.0.0.1",
    port: Number(port),
    noDelay: true,
    onread: {
      buffer,
      callback(count) {
        bytes += count;
        if (!isWelcome) greeted(buffer.subarray(0, count));
        return true;
      },
    },
  });
  const greeted = (chunk: Uint8Array): void => {
    answer = Buffer.concat([answer, chunk]);
    if (!protocol.isWelcome(answer)) return;
    isWelcome = true;
    if (++welcomed < Number(connections)) return;
    report();
    setInterval(report, REPORT_MS);
    if (role === "send") flood(socket, protocol);
  };
  socket.on("error", (error) => {
    console.error(String(error));
    process.exit(1);
  });
  socket.write(protocol.greeting(role));
}

for (let i = 0; i < Number(connections); i++) connect();
