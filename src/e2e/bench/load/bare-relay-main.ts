/**
 * What this runtime can do on this machine: a relay that hands the bytes of every sender to all
 * receivers as they came, and looks at none. Prints `{"port":…}`.
 */
import net from "node:net";

/** A sender is read no further while a receiver has so much waiting. */
const MAX_WAITING_BYTES = 1024 * 1024;
const receivers = new Set<net.Socket>();
const senders = new Set<net.Socket>();

const isFull = ({ writableLength }: net.Socket): boolean => writableLength > MAX_WAITING_BYTES;

function relay(sender: net.Socket, chunk: Buffer): void {
  let full = false;
  for (const receiver of receivers) {
    receiver.write(chunk);
    full ||= isFull(receiver);
  }
  if (full) sender.pause();
}

function resumeAll(): void {
  for (const receiver of receivers) if (isFull(receiver)) return;
  for (const sender of senders) sender.resume();
}

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (role: Buffer) => {
    socket.write("!");
    if (role.toString() === "s") {
      senders.add(socket);
      socket.on("data", (chunk: Buffer) => relay(socket, chunk));
    } else {
      receivers.add(socket);
      socket.on("drain", resumeAll);
      socket.on("close", () => {
        receivers.delete(socket);
        resumeAll();
      });
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as net.AddressInfo;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
