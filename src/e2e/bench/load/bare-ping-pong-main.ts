/**
 * What this machine and runtime can do at least: one message to and fro between two bare sockets.
 *
 *     node bare-ping-pong-main.ts serve              prints {"port":…}
 *     node bare-ping-pong-main.ts ping PORT BYTES SECONDS   prints {"p50Us":…}
 */
import net from "node:net";

const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

function serve(): void {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => socket.write(chunk));
  });
  server.listen(0, "127.0.0.1", () => print({ port: (server.address() as net.AddressInfo).port }));
}

function ping(port: number, bytes: number, seconds: number): void {
  const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
  const message = Buffer.alloc(bytes, "=");
  const tripsUs: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  let sentMs = 0;
  const send = (): void => {
    sentMs = performance.now();
    socket.write(message);
  };
  socket.on("connect", send);
  socket.on("data", () => {
    const nowMs = performance.now();
    tripsUs.push((nowMs - sentMs) * 1000);
    if (nowMs < endMs) return send();
    tripsUs.sort((a, b) => a - b);
    print({ p50Us: tripsUs[tripsUs.length >> 1] });
    socket.destroy();
  });
}

const [role, ...numbers] = process.argv.slice(2);
const [port, bytes, seconds] = numbers.map(Number);
if (role === "serve") serve();
else ping(port!, bytes!, seconds!);
