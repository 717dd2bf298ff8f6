/**
 * A client's side of datagrams: asks one address of a server for a cookie, and opens a session with
 * it. Pure: sending, time and randomness are handed in.
 */
import {
  type Endpoint,
  isSessionDatagram,
  NONCE_BYTES,
  readSetUp,
  type SendDatagram,
  tokenOf,
  writeOpen,
  writeRequest,
} from "./datagram.ts";
import { createDatagramPeer } from "./datagram-peer.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { NowUs } from "./time.ts";

/**
 * First time after which a request is sent again; grows each time. Whoever loses every fifth
 * datagram still gets through within seconds: each is small, answered by one that is no longer, and
 * does no harm where it comes twice.
 */
const AGAIN_US = 200_000;
const AGAIN_GROWTH = 1.5;
const MOST_AGAIN_US = 500_000;

export interface DatagramClientOptions {
  server: Endpoint;
  send: SendDatagram;
  randomBytes: (count: number) => Uint8Array;
  nowUs: NowUs;
  wake: (atUs: number) => void;
  format: (endpoint: Endpoint) => string;
  /** The server is there: opens a link to it. */
  reached: () => void;
  /** It is over, before there was a link or with it. */
  gone: (reason: string | undefined) => void;
}

export interface DatagramClient {
  /** Takes over the connection: what is first written to the link must be the hello. */
  adopt(open: (link: Link) => LinkEvents): void;
  take(datagram: Uint8Array): void;
  /** The system says that nobody listens there, which may be forged once a session is on. */
  refused(reason: string): void;
  /** Does what is due; returns when to call again. */
  tick(): number;
}

/** Sends the first request at once. */
export function createDatagramClient(options: DatagramClientOptions): DatagramClient {
  const { server, nowUs } = options;
  const nonce = options.randomBytes(NONCE_BYTES);
  /** Sent until it is answered. */
  let asking: Uint8Array | undefined = writeRequest(nonce);
  let askDueUs = nowUs();
  let againUs = AGAIN_US;
  let cookie: Uint8Array | undefined;
  /** asking for a cookie · reached: it came · opening: it was returned · open */
  let stage: "asking" | "refused" | "reached" | "opening" | "open" = "asking";
  let failure: string | undefined;

  const askAgain = (atUs: number): void => {
    options.send([asking!], server);
    askDueUs = atUs + againUs;
    againUs = Math.min(AGAIN_GROWTH * againUs, MOST_AGAIN_US);
  };

  const ask = (datagram: Uint8Array): void => {
    asking = datagram;
    againUs = AGAIN_US;
    askAgain(nowUs());
    options.wake(askDueUs);
  };

  const peer = createDatagramPeer({
    ...options,
    token: tokenOf(nonce),
    endpoint: server,
    wake: (_, atUs) => options.wake(atUs),
    moved() {},
    malformed() {},
    gone() {
      asking = undefined;
      options.gone(undefined);
    },
  });

  /** The peer's, but that the hello travels with the cookie. */
  const link: Link = {
    transport: "udp",
    peer: peer.link.peer,
    write(piece) {
      if (stage !== "reached") return peer.link.write(piece);
      stage = "opening";
      ask(writeOpen(nonce, cookie!, piece[0]!));
      return true;
    },
    pause() {},
    resume() {},
    secure: (macs, isProven) => peer.link.secure!(macs, isProven),
    end: peer.link.end,
    destroy: peer.link.destroy,
  };

  const takeCookie = (datagram: Uint8Array): void => {
    const setUp = readSetUp(datagram);
    if (setUp?.kind !== "cookie" || !setUp.nonce.every((byte, i) => byte === nonce[i])) return;
    ({ cookie } = setUp);
    stage = "reached";
    asking = undefined;
    options.reached();
  };

  return {
    adopt(open) {
      peer.listen(open(link));
    },
    take(datagram) {
      if (stage === "asking") takeCookie(datagram);
      else if (isSessionDatagram(datagram) && peer.take(datagram, server)) {
        stage = "open";
        asking = undefined;
      }
    },
    refused(reason) {
      if (stage === "open") peer.doubt(reason);
      else if (stage === "asking") {
        stage = "refused";
        failure = reason;
        options.wake(nowUs());
      } else peer.fail(reason);
    },
    tick() {
      const atUs = nowUs();
      if (stage === "refused") {
        options.gone(failure);
        return Infinity;
      }
      const dueUs = stage === "asking" ? Infinity : peer.tick(atUs);
      if (asking === undefined) return dueUs;
      if (atUs >= askDueUs) askAgain(atUs);
      return Math.min(dueUs, askDueUs);
    },
  };
}
