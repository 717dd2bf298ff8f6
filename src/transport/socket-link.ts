/** Sockets of streams as links, whether TCP or TLS over it. */
import type net from "node:net";
import type { Link, LinkEvents } from "../relay/link.ts";
import { describeNetworkError } from "./network-error.ts";

/**
 * Makes a link of a connected socket, and reports what happens to whoever `open` returns.
 * `refusal` tells why this peer may be no client.
 */
export function adopt(
  socket: net.Socket,
  open: (link: Link) => LinkEvents,
  { refusal }: { refusal?: string | undefined } = {},
): void {
  // The socket calls back for each piece, in order; those it took at once are already known of.
  let takenAtOnce = 0;
  let failure: Error | undefined;
  const written = (error?: Error | null): void => {
    if (takenAtOnce > 0) takenAtOnce--;
    else if (!error) events.written();
  };
  const events = open({
    transport: "tcp",
    peer: peerOf(socket),
    ...(refusal !== undefined && { refusal }),
    write(piece) {
      const last = piece.length - 1;
      if (last > 0) socket.cork();
      for (let i = 0; i < last; i++) socket.write(piece[i]!);
      socket.write(piece[last]!, written);
      if (last > 0) socket.uncork();
      if (socket.writableLength > 0) return false;
      takenAtOnce++;
      return true;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  });
  socket.on("data", (chunk) => events.data(chunk));
  socket.on("error", (error) => {
    // What follows from the first error says less.
    failure ??= new Error(describeNetworkError(error));
    // TLS that was told of its failure by the other end stays open by itself.
    socket.destroy();
  });
  socket.on("close", () => events.closed(failure));
}

/** Where the other end of a socket is. */
export function peerOf(socket: net.Socket): string {
  return formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
}

/** `host:port`, an IPv6 host in brackets; IPv4 over an IPv6 socket is shown as IPv4. */
export function formatAddress(host: string, port: number): string {
  const plain = host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host;
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
