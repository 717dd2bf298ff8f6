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
  writeOpen,
  writeRequest,
} from "./datagram.ts";
import { createDatagramPeer, type DatagramPeer } from "./datagram-peer.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { NowUs } from "./time.ts";

/** First time after which a request is sent again; doubled each time. */
const AGAIN_US = 250_000;
const MOST_AGAIN_US = 2_000_000;

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
  let events: LinkEvents | undefined;
  let peer: DatagramPeer | undefined;
  let failure: string | undefined;
  let isOver = false;

  const askAgain = (atUs: number): void => {
    options.send([asking!], server);
    askDueUs = atUs + againUs;
    againUs = Math.min(2 * againUs, MOST_AGAIN_US);
  };

  const ask = (datagram: Uint8Array): void => {
    asking = datagram;
    againUs = AGAIN_US;
    askAgain(nowUs());
    options.wake(askDueUs);
  };

  const finish = (reason?: string): void => {
    if (isOver) return;
    isOver = true;
    failure = reason;
    options.wake(nowUs());
  };

  /** The link as long as the server has not accepted. */
  const link: Link = {
    transport: "udp",
    peer: options.format(server),
    write(piece) {
      if (peer !== undefined) return peer.link.write(piece);
      if (!isOver) ask(writeOpen(nonce, cookie!, piece[0]!));
      return true;
    },
    pause() {},
    resume() {},
    end() {
      if (peer === undefined) finish();
      else peer.link.end();
    },
    destroy() {
      if (peer === undefined) finish();
      else peer.link.destroy();
    },
  };

  const accepted = (token: Uint8Array): void => {
    asking = undefined;
    peer = createDatagramPeer({
      ...options,
      token,
      endpoint: server,
      wake: (_, atUs) => options.wake(atUs),
      moved() {},
      gone: () => options.gone(undefined),
    });
    peer.listen(events!);
  };

  return {
    adopt(open) {
      // The hello may be written before there is anyone to tell of its answer.
      events = open(link);
    },
    take(datagram) {
      if (isOver) return;
      if (isSessionDatagram(datagram)) {
        // The server is connected to: what is of another session comes from nobody.
        peer?.take(datagram, server);
        return;
      }
      const setUp = readSetUp(datagram);
      if (setUp === undefined || !setUp.nonce.every((byte, i) => byte === nonce[i])) return;
      if (setUp.kind === "cookie" && cookie === undefined) {
        cookie = setUp.cookie;
        asking = undefined;
        options.reached();
      } else if (setUp.kind === "accept" && events !== undefined && peer === undefined) {
        accepted(setUp.token);
      }
    },
    refused(reason) {
      if (peer !== undefined) peer.doubt(reason);
      else finish(reason);
    },
    tick() {
      const atUs = nowUs();
      if (isOver) {
        options.gone(failure);
        events?.closed(failure === undefined ? undefined : new Error(failure));
        return Infinity;
      }
      if (peer !== undefined) return peer.tick(atUs);
      if (asking === undefined) return Infinity;
      if (atUs >= askDueUs) askAgain(atUs);
      return askDueUs;
    },
  };
}
