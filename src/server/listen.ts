/** Listens over the transports that the options name. */
import { logger } from "../cli/log.ts";
import type { UdpSummary } from "../metrics/summary.ts";
import { udpSummary } from "../metrics/udp-losses.ts";
import { watchCertificates } from "../platform/certificates.ts";
import { Failure } from "../platform/failure.ts";
import { createTicker } from "../platform/ticker.ts";
import type { TransportName } from "../relay/link.ts";
import type { Relay } from "../relay/relay.ts";
import type { NowUs } from "../relay/time.ts";
import { describeNetworkError } from "../transport/network-error.ts";
import {
  type Address,
  familyOf,
  formatAddress,
  type Listener,
  listenTcp,
  type Where,
} from "../transport/tcp.ts";
import { listenTls } from "../transport/tls.ts";
import { listenUdp, type UdpListener } from "../transport/udp.ts";
import type { ServerConfig } from "./options.ts";

export interface Listening {
  /** Where, in the order of the options; ports are the real ones. */
  readonly addresses: readonly (Address & { transport: TransportName })[];
  /** Takes no more clients. Those that exist go on. */
  close(): void;
  /** Ends what is left once all have said bye. */
  destroy(): void;
  /** Undefined where there is no UDP. */
  udp(): UdpSummary | undefined;
}

/** The transports that a server takes. */
export function transportsOf({ transport }: Pick<ServerConfig, "transport">): TransportName[] {
  return transport.split(",") as TransportName[];
}

/** Throws a Failure where it cannot listen. */
export async function listen(
  config: ServerConfig,
  relay: Relay,
  nowUs: NowUs,
): Promise<Listening> {
  const log = logger("server");
  const family = familyOf(config);
  const transports = transportsOf(config);
  const addresses: (Address & { transport: TransportName })[] = [];
  let tcp: Listener | undefined;
  let udp: UdpListener | undefined;

  const onPort = async <L extends Listener>(
    transport: TransportName,
    port: number,
    open: (port: number) => Promise<L>,
  ): Promise<L> => {
    try {
      const listener = await open(port);
      addresses.push({ ...listener.address, transport });
      return listener;
    } catch (error) {
      tcp?.close();
      if (error instanceof Failure) throw error;
      const address = formatAddress(config.host ?? "*", port);
      const over = transport === "udp" ? " over UDP" : "";
      throw new Failure(
        `cannot listen on ${address}${over}: ${describeNetworkError(error as Error)}`,
      );
    }
  };

  if (transports.includes("tcp")) {
    tcp = await onPort(
      "tcp",
      config.port,
      (port) => listenForStreams({ host: config.host, port, family }, config, relay),
    );
  }
  if (transports.includes("udp")) {
    const wanted = config.udpPort ?? tcp?.address.port ?? config.port;
    udp = await onPort(
      "udp",
      wanted,
      (port) =>
        listenUdp({ host: config.host, port, family }, (link) => relay.accept(link), {
          nowUs,
          createTicker,
          moved: (from, to) => log.info("a client's address changed", { from, peer: to }),
        }),
    );
    if (udp.socket.smallBuffers !== undefined) {
      log.warn("the kernel gives less room for datagrams than was asked for: bursts may be lost", {
        ...udp.socket.smallBuffers,
      });
    }
  }

  return {
    addresses,
    close() {
      tcp?.close();
      udp?.close();
    },
    destroy: () => udp?.destroy(),
    udp: () => udp && udpSummary(udp.socket.losses(), udp.strange),
  };
}

/** TCP, or TLS over it where there are certificates: new ones are for those that come then. */
async function listenForStreams(
  where: Where,
  config: ServerConfig,
  relay: Relay,
): Promise<Listener> {
  const log = logger("server");
  const failed = (error: Error): void =>
    log.error(`a connection could not be taken: ${describeNetworkError(error)}`);
  if (config.tlsCert === undefined) {
    return await listenTcp(where, (link) => relay.accept(link), failed);
  }
  const certificates = watchCertificates(config, {
    changed(renewed) {
      listener.renew(renewed);
      log.info("new certificates are in use");
    },
    warn: log.warn,
  });
  const listener = await listenTls(where, {
    credentials: certificates.current,
    admit: relay.admit,
    accept: relay.accept,
    left: relay.left,
    refused: relay.turnedAway,
    failed,
  });
  return {
    address: listener.address,
    close() {
      certificates.stop();
      listener.close();
    },
  };
}
