/** TLS 1.3 over TCP: the same links. A session is as fast as without, its handshake is not. */
import net from "node:net";
import tls from "node:tls";
import { writeBye } from "../relay/bye.ts";
import type { Admission } from "../relay/gate.ts";
import { helloFault } from "../relay/hello.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { RefusalReason } from "../relay/refusal.ts";
import { describeNetworkError } from "./network-error.ts";
import { adopt, peerOf } from "./socket-link.ts";
import { connectSocket, type Listener, listenForSockets, type To, type Where } from "./tcp.ts";

/** A handshake has to be over within: several round trips over the longest ways. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** First byte of a TLS handshake. */
const HANDSHAKE_RECORD = 0x16;

/** What an end shows and trusts, in PEM. */
export interface Credentials {
  readonly cert?: string;
  readonly key?: string;
  /** Authorities; undefined: those that the platform trusts. */
  readonly ca?: string;
}

export interface TlsListener extends Listener {
  /** From now on, new connections get these; those that exist go on. */
  renew(credentials: Credentials): void;
}

export interface TlsListenerOptions {
  credentials: Credentials;
  /** Somebody comes; what is returned goes with the link. Undefined where there is no room. */
  admit: (peer: string, evict: () => void) => Admission | undefined;
  accept: (link: Link, admission: Admission) => LinkEvents;
  /** What was admitted became no link. */
  left: (admission: Admission) => void;
  /** A connection that came to no session of TLS: it was turned away, or left by itself. */
  refused: (peer: string, text: string, reason: RefusalReason) => void;
  /** The listener itself has an error. */
  failed: (error: Error) => void;
  /** A handshake that takes longer is none. */
  handshakeMs?: number;
}

/** One that was admitted and has not come to the end of its handshake. */
interface Shaking {
  readonly admission: Admission;
  isLink: boolean;
  /** It becomes no link: that counts once, under the first reason. */
  count(text: string, reason: RefusalReason): void;
}

const NO_CERTIFICATE = "a client certificate is required (--tls-cert)";

/**
 * Listens as `listenTcp` does. Where there are authorities (`ca`), whoever shows no certificate of
 * theirs gets a link with a `refusal`, so that it can be told why.
 */
export async function listenTls(
  where: Where,
  {
    credentials,
    admit,
    accept,
    left,
    refused,
    failed,
    handshakeMs = HANDSHAKE_TIMEOUT_MS,
  }: TlsListenerOptions,
): Promise<TlsListener> {
  /**
   * Connections whose handshake is under way, by their peer: of two that have the same (one is gone
   * already, and its port used again, or its address not known any more) it is the later one.
   */
  const shaking = new Map<string, Shaking>();
  const asksClients = credentials.ca !== undefined;
  const handshakes = tls.createServer({
    ...credentials,
    minVersion: "TLSv1.3",
    requestCert: asksClients,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
  }, (socket) => {
    const isRefused = asksClients && !socket.authorized;
    const entry = shaking.get(peerOf(socket));
    if (entry === undefined) return void socket.destroy();
    shaking.delete(peerOf(socket));
    entry.isLink = true;
    adopt(socket, (link) => accept(link, entry.admission), {
      refusal: isRefused ? refusalOf(socket) : undefined,
    });
  });
  handshakes.on("tlsClientError", (error, socket) => {
    // Of one that is gone no address is known any more: its socket's end counts it.
    const entry = shaking.get(peerOf(socket));
    entry?.count(`no TLS session: ${describeNetworkError(error)}`, "tls");
    socket.destroy();
  });

  const take = (socket: net.Socket): void => {
    const peer = peerOf(socket);
    socket.on("error", () => {});
    let isCounted = false;
    const count = (text: string, reason: RefusalReason): void => {
      if (!isCounted) refused(peer, text, reason);
      isCounted = true;
    };
    const admission = admit(peer, () => {
      count("made room before its TLS handshake", "half-open");
      socket.destroy();
    });
    if (admission === undefined) return void socket.destroy();
    const entry = { admission, isLink: false, count };
    shaking.set(peer, entry);
    const timer = setTimeout(() => {
      count("no TLS handshake", "slow");
      socket.destroy();
    }, handshakeMs);
    let isBegun = false;
    socket.once("close", () => {
      clearTimeout(timer);
      if (shaking.get(peer) === entry) shaking.delete(peer);
      if (entry.isLink) return;
      if (isBegun) count("no TLS session: it left amid the handshake", "tls");
      else count("left before its TLS handshake", "left");
      left(admission);
    });
    socket.once("data", (first) => {
      if (first[0] === HANDSHAKE_RECORD) {
        clearTimeout(timer);
        isBegun = true;
        socket.pause();
        socket.unshift(first);
        handshakes.emit("connection", socket);
        return;
      }
      const isClient = helloFault(first) === undefined;
      count("it does not speak TLS, which this server requires", isClient ? "tls" : "stranger");
      // One of our clients is told, and has as long to go; to strangers nothing is said.
      if (isClient) socket.end(writeTlsRequired());
      else socket.destroy();
    });
  };

  const listener = await listenForSockets(where, take, failed);
  return {
    ...listener,
    renew: (renewed) => handshakes.setSecureContext({ ...renewed, minVersion: "TLSv1.3" }),
  };
}

function refusalOf({ authorizationError }: tls.TLSSocket): string {
  // Without any certificate too, there is an error: that its issuer is not there.
  const code = String(authorizationError ?? "");
  if (code === "UNABLE_TO_GET_ISSUER_CERT") return NO_CERTIFICATE;
  const problem = describeNetworkError(Object.assign(new Error(code), { code }));
  return `the client's certificate is not accepted: ${problem}`;
}

const writeTlsRequired = (): Uint8Array =>
  writeBye({
    reason: "tls",
    counts: { sent: 0, origins: [] },
    text: "this server takes clients over TLS alone (--tls)",
  });

/** How a client sets up TLS. */
export interface TlsConnectOptions {
  credentials: Credentials;
  /** The name that the server's certificate must have; undefined: that of the host. */
  serverName: string | undefined;
  /** Takes any certificate: who asks only whether someone is there. */
  trustsAnyone?: boolean;
}

/** Connects as `connectTcp` does, then shakes hands, for which there is a time of its own. */
export async function connectTls(
  to: To,
  signal: AbortSignal,
  opened: (link: Link) => LinkEvents,
  options: TlsConnectOptions,
): Promise<void> {
  let handshake: Promise<void> | undefined;
  await connectSocket(to, signal, (socket) => {
    handshake = shakeHands(socket, to.host, signal, opened, options);
    handshake.catch(() => {});
  });
  await handshake;
}

function shakeHands(
  raw: net.Socket,
  host: string,
  signal: AbortSignal,
  opened: (link: Link) => LinkEvents,
  { credentials, serverName, trustsAnyone = false }: TlsConnectOptions,
): Promise<void> {
  const name = serverName ?? host;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...credentials,
      socket: raw,
      host: name,
      // RFC 6066, section 3: addresses are no server names.
      ...(net.isIP(name) === 0 && { servername: name }),
      minVersion: "TLSv1.3",
      rejectUnauthorized: !trustsAnyone,
    });
    const timer = setTimeout(() => {
      fail(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT_MS / 1000} s`));
    }, HANDSHAKE_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.off("error", fail);
      socket.off("close", closed);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const abort = (): void => fail(new Error("given up"));
    const closed = (): void => fail(new Error("closed during the TLS handshake"));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      settle();
      adopt(socket, opened);
      resolve();
    });
  });
}
