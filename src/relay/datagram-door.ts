/**
 * A server's side of datagrams: gives cookies, takes sessions that return theirs, and hands each
 * datagram to its session. Pure: sending, secrets and time are handed in.
 */
import {
  DatagramKind,
  type Endpoint,
  isSessionDatagram,
  readSetUp,
  readTokenStart,
  type SendDatagram,
  TOKEN_BYTES,
  tokenOf,
  writeClose,
  writeCookie,
} from "./datagram.ts";
import { COOKIE_LIFE_US, createCookies, type Mac } from "./datagram-cookie.ts";
import { createDatagramPeer, type DatagramPeer } from "./datagram-peer.ts";
import { toHex } from "./hex.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { NowUs } from "./time.ts";

/** Of ended sessions so many nonces are kept, so that a cookie does not open a second one. */
const MAX_SPENT = 65_536;
/** Answers a second to datagrams of sessions that are not known. */
const MAX_CLOSES = 1000;
const SECOND_US = 1_000_000;

export interface DatagramDoorOptions {
  send: SendDatagram;
  accept: (link: Link) => LinkEvents;
  mac: Mac;
  randomBytes: (count: number) => Uint8Array;
  nowUs: NowUs;
  /** `tick` is to be called at `atUs`, sooner than it said before. */
  wake: (atUs: number) => void;
  format: (endpoint: Endpoint) => string;
  /** A session has proven to be elsewhere now. */
  moved: (peer: DatagramPeer, from: Endpoint) => void;
}

export interface DatagramDoor {
  /** Takes over a datagram. */
  take(datagram: Uint8Array, from: Endpoint): void;
  /** Does what is due; returns when to call again. */
  tick(): number;
  /** Takes no more sessions. Those that exist go on. */
  close(): void;
  readonly peers: number;
  /** Datagrams that are none of ours, of no session, or without a cookie that holds. */
  readonly strange: number;
}

interface Known {
  readonly peer: DatagramPeer;
  readonly nonce: string;
  dueUs: number;
}

export function createDatagramDoor(options: DatagramDoorOptions): DatagramDoor {
  const { nowUs } = options;
  const cookies = createCookies(options);
  /** By the start of the token. */
  const byToken = new Map<number, Known>();
  const known = new Map<DatagramPeer, Known>();
  /** Sessions that want to be called, sooner or later. */
  const busy = new Set<Known>();
  /** Nonces of ended sessions, and until when their cookies may hold. */
  const spent = new Map<string, number>();
  let strange = 0;
  let isClosed = false;
  let closesLeft = MAX_CLOSES;
  let closesUs = nowUs();

  const wake = (peer: DatagramPeer, atUs: number): void => {
    const entry = known.get(peer);
    if (entry === undefined || atUs >= entry.dueUs) return;
    entry.dueUs = atUs;
    busy.add(entry);
    options.wake(atUs);
  };

  const gone = (peer: DatagramPeer): void => {
    const entry = known.get(peer)!;
    known.delete(peer);
    busy.delete(entry);
    byToken.delete(readTokenStart(peer.token, 0));
    const atUs = nowUs();
    for (const [nonce, untilUs] of spent) {
      if (atUs < untilUs && spent.size < MAX_SPENT) break;
      spent.delete(nonce);
    }
    spent.set(entry.nonce, atUs + COOKIE_LIFE_US);
  };

  const open = (nonce: Uint8Array, hello: Uint8Array, from: Endpoint): void => {
    const key = toHex(nonce);
    const token = tokenOf(nonce);
    // One that has been opened already answers until it is acknowledged.
    if (isClosed || spent.has(key) || byToken.has(readTokenStart(token, 0))) return;
    const peer = createDatagramPeer({
      ...options,
      token,
      endpoint: { address: from.address, port: from.port },
      wake,
      gone,
      malformed: () => strange++,
    });
    const entry = { peer, nonce: key, dueUs: Infinity };
    known.set(peer, entry);
    byToken.set(readTokenStart(token, 0), entry);
    const events = options.accept(peer.link);
    peer.listen(events);
    events.data(hello);
  };

  const closeUnknown = (datagram: Uint8Array, from: Endpoint): void => {
    strange++;
    // As short as the shortest of a session; a close is never answered.
    if (datagram[0] === DatagramKind.close) return;
    const atUs = nowUs();
    if (atUs - closesUs >= SECOND_US) {
      closesUs = atUs;
      closesLeft = MAX_CLOSES;
    }
    if (closesLeft === 0) return;
    closesLeft--;
    options.send([writeClose(datagram.subarray(4, 4 + TOKEN_BYTES))], from);
  };

  const takeSetUp = (datagram: Uint8Array, from: Endpoint): void => {
    const setUp = readSetUp(datagram);
    if (setUp?.kind === "request") {
      if (!isClosed) {
        options.send([writeCookie(setUp.nonce, cookies.give(from, setUp.nonce))], from);
      }
    } else if (setUp?.kind === "open" && cookies.holds(setUp.cookie, from, setUp.nonce)) {
      open(setUp.nonce, setUp.hello, from);
    } else strange++;
  };

  return {
    take(datagram, from) {
      if (!isSessionDatagram(datagram)) return takeSetUp(datagram, from);
      const entry = byToken.get(readTokenStart(datagram));
      if (entry === undefined || !entry.peer.take(datagram, from)) closeUnknown(datagram, from);
    },
    tick() {
      const atUs = nowUs();
      let nextUs = Infinity;
      for (const entry of busy) {
        if (atUs >= entry.dueUs) {
          entry.dueUs = Infinity;
          const dueUs = entry.peer.tick(atUs);
          entry.dueUs = Math.min(entry.dueUs, dueUs);
          if (entry.dueUs === Infinity) busy.delete(entry);
        }
        nextUs = Math.min(nextUs, entry.dueUs);
      }
      return nextUs;
    },
    close() {
      isClosed = true;
    },
    get peers() {
      return known.size;
    },
    get strange() {
      return strange;
    },
  };
}
