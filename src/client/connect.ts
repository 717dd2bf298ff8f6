/** Connects routes over the transport that the options name. */
import { logger } from "../cli/log.ts";
import { createTicker } from "../platform/ticker.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { NowUs } from "../relay/time.ts";
import { watchCertificates } from "../platform/certificates.ts";
import { connectTcp, familyOf } from "../transport/tcp.ts";
import { connectTls } from "../transport/tls.ts";
import { connectUdp } from "../transport/udp.ts";
import { addLosses, type UdpLosses, type UdpSocket } from "../transport/udp-socket.ts";
import type { ClientConfig, RouteConfig } from "./options.ts";

export interface Connector {
  /** Rejects with the system's error, or why there was no answer. */
  connect(
    route: Pick<RouteConfig, "host" | "port">,
    timeoutMs: number,
    signal: AbortSignal,
    opened: (link: Link) => LinkEvents,
  ): Promise<void>;
  /** What all sockets so far could not send or had no room for; undefined over TCP. */
  losses(): UdpLosses | undefined;
}

/** Throws a Failure where its certificates are not good. */

export function createConnector(config: ClientConfig, nowUs: NowUs): Connector {
  const log = logger("client");
  const certificates = config.tls
    // Each connection takes those that are there then.
    ? watchCertificates(config, { changed() {}, warn: log.warn })
    : undefined;
  const open = new Set<UdpSocket>();
  let closedLosses: UdpLosses = { sendFailures: 0, kernelDrops: undefined };
  let hasWarned = false;

  const udp = {
    nowUs,
    createTicker,
    socketOpened(socket: UdpSocket) {
      open.add(socket);
      if (socket.smallBuffers === undefined || hasWarned) return;
      hasWarned = true;
      log.debug("the kernel gives less room for datagrams than was asked for", {
        ...socket.smallBuffers,
      });
    },
    socketClosed(socket: UdpSocket) {
      closedLosses = addLosses(closedLosses, socket.losses());
      open.delete(socket);
    },
  };

  return {
    connect({ host, port }, timeoutMs, signal, opened) {
      const to = { host, port, family: familyOf(config), bind: config.bind, timeoutMs };
      if (config.transport === "udp") return connectUdp(to, signal, opened, udp);
      if (certificates === undefined) return connectTcp(to, signal, opened);
      const { tlsServerName: serverName } = config;
      return connectTls(to, signal, opened, { credentials: certificates.current, serverName });
    },
    losses() {
      if (config.transport !== "udp") return undefined;
      return [...open].reduce((sum, socket) => addLosses(sum, socket.losses()), closedLosses);
    },
  };
}
