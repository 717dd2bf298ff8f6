/**
 * A session's datagrams, either end: a link whose messages and clock frames are a datagram each,
 * never sent again, and whose other frames arrive in order or not at all.
 *
 * A receiver that takes nothing cannot be felt: there is no backlog, `written` is never called, and
 * `pause` does nothing.
 */
import {
  announceMac,
  CHALLENGE_BYTES,
  CHALLENGE_DATAGRAM_BYTES,
  DatagramKind,
  type Endpoint,
  hasMac,
  hasToken,
  MAC_BYTES,
  PLAIN_HEADER_BYTES,
  plainHeader,
  readNumber,
  type SendDatagram,
  writeChallenge,
  writeClose,
} from "./datagram.ts";
import { createControlReceiver, createControlSender, isFrame } from "./datagram-control.ts";
import { FrameType } from "./frame.ts";
import type { Link, LinkEvents } from "./link.ts";
import { areEqual, type Mac } from "./proof.ts";
import type { NowUs } from "./time.ts";

const UNKNOWN_SESSION = "the other end does not know this session";

/**
 * A link that was ended waits so long for its last acknowledgement: where each fifth datagram is
 * lost, 3 s were too short for 6 byes of 1,600, 5 s for one.
 */
const LINGER_US = 5_000_000;
/** Least time between two challenges. */
const CHALLENGE_US = 50_000;
/** Challenges without an answer after which the other end is gone. */
const MAX_UNANSWERED = 5;
const DOUBT_US = 250_000;

export interface DatagramPeerOptions {
  token: Uint8Array;
  /** Where the other end has proven to be. */
  endpoint: Endpoint;
  send: SendDatagram;
  randomBytes: (count: number) => Uint8Array;
  nowUs: NowUs;
  /** `tick` has something to do sooner than it said before. */
  wake: (peer: DatagramPeer, atUs: number) => void;
  /** How an endpoint is shown to people. */
  format: (endpoint: Endpoint) => string;
  /** It has proven to be elsewhere now. */
  moved: (peer: DatagramPeer, from: Endpoint) => void;
  /** A datagram of the session was no frame. */
  malformed: () => void;
  /** The link is gone: nothing is to be given to it any more. */
  gone: (peer: DatagramPeer) => void;
}

export interface DatagramPeer {
  readonly link: Link;
  readonly token: Uint8Array;
  readonly endpoint: Endpoint;
  /** Who hears of what comes: to be said before anything is taken. */
  listen(events: LinkEvents): void;
  /** Takes a datagram that passed `isSessionDatagram`. False where its token is another. */
  take(datagram: Uint8Array, from: Endpoint): boolean;
  /** There is a sign that the other end is gone, which may be forged: asks it. */
  doubt(reason: string): void;
  /** Ends the link at once, for this reason. */
  fail(reason: string): void;
  /** Does what is due; returns when to call again (Infinity: not). */
  tick(atUs: number): number;
}

export function createDatagramPeer(options: DatagramPeerOptions): DatagramPeer {
  const { token, nowUs } = options;
  const header = plainHeader(token);
  let { endpoint } = options;
  let events: LinkEvents | undefined;
  let state: "open" | "ending" | "gone" = "open";
  let lingerUs = Infinity;
  let error: Error | undefined;
  /** What was asked of whoever is at `to`. */
  let challenge: { bytes: Uint8Array; to: Endpoint; sentUs: number } | undefined;
  let doubt: { reason: string; asked: number; dueUs: number } | undefined;

  /** From when on the ends authenticate what they send. `isProven`: the other end has begun to. */
  let macs: { send: Mac; receive: Mac; isProven: boolean } | undefined;

  /** Sends what has its header in the first slice. */
  const transmit = (slices: readonly Uint8Array[], to: Endpoint): void => {
    if (macs === undefined) return options.send(slices, to);
    announceMac(slices[0]!);
    options.send([...slices, macs.send(slices).subarray(0, MAC_BYTES)], to);
  };

  const send = (datagram: Uint8Array): void => transmit([datagram], endpoint);
  const control = createControlSender(token, send);
  const receiver = createControlReceiver(token, {
    send,
    deliver: (frame) => {
      if (state !== "gone") events?.data(frame);
    },
  });

  const finish = (reason?: string): void => {
    if (state === "gone") return;
    state = "gone";
    if (reason !== undefined) error = new Error(reason);
    // The owner is told later: it may be in the midst of something.
    options.wake(peer, nowUs());
  };

  const writeFrame = (frame: Uint8Array): void => {
    const type = frame[4];
    if (type === FrameType.data || type === FrameType.clock) {
      transmit([header, frame], endpoint);
      return;
    }
    const atUs = nowUs();
    control.send(frame, atUs);
    options.wake(peer, control.tick(atUs));
  };

  const writeFrames = (slice: Uint8Array): void => {
    const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
    let length = 0;
    for (let at = 0; at < slice.byteLength; at += length) {
      length = view.getUint32(at, true);
      const isAll = at === 0 && length === slice.byteLength;
      writeFrame(isAll ? slice : slice.subarray(at, at + length));
    }
  };

  const ask = (to: Endpoint, atUs: number): void => {
    challenge = { bytes: options.randomBytes(CHALLENGE_BYTES), to, sentUs: atUs };
    transmit([writeChallenge("challenge", token, challenge.bytes)], to);
  };

  const isHere = (from: Endpoint): boolean =>
    from.port === endpoint.port && from.address === endpoint.address;

  /** It sends from elsewhere: whether it is there is asked before anything else goes there. */
  const askElsewhere = (from: Endpoint, bytes: number, atUs: number): void => {
    if (bytes < CHALLENGE_DATAGRAM_BYTES + (macs ? MAC_BYTES : 0)) return;
    if (challenge !== undefined && atUs - challenge.sentUs < CHALLENGE_US) return;
    ask(from, atUs);
  };

  const takeResponse = (datagram: Uint8Array, from: Endpoint): void => {
    if (challenge === undefined) return;
    const { bytes, to } = challenge;
    if (from.port !== to.port || from.address !== to.address) return;
    for (let i = 0; i < CHALLENGE_BYTES; i++) {
      if (datagram[PLAIN_HEADER_BYTES + i] !== bytes[i]) return;
    }
    challenge = undefined;
    if (isHere(from)) return;
    const before = endpoint;
    endpoint = { address: from.address, port: from.port };
    options.moved(peer, before);
  };

  const answerChallenge = (datagram: Uint8Array): void => {
    const bytes = datagram.slice(PLAIN_HEADER_BYTES);
    transmit([writeChallenge("response", token, bytes)], endpoint);
  };

  /** A datagram without its MAC; undefined where it is not of the other end. */
  const authenticate = (datagram: Uint8Array): Uint8Array | undefined => {
    if (!hasMac(datagram)) return macs === undefined || isEarly(datagram) ? datagram : undefined;
    const body = datagram.subarray(0, -MAC_BYTES);
    // One that is not yet proven is told by what it proves.
    if (macs === undefined) return isHandshake(body) ? body : undefined;
    const mac = macs.receive([body]).subarray(0, MAC_BYTES);
    if (!areEqual(mac, datagram.subarray(-MAC_BYTES))) return undefined;
    macs.isProven = true;
    return body;
  };

  const isHandshake = ([kind]: Uint8Array): boolean =>
    kind === DatagramKind.control || kind === DatagramKind.ack;

  /** The relay cannot authenticate anything before it knows which token it is. */
  const isEarly = (datagram: Uint8Array): boolean => !macs!.isProven && isHandshake(datagram);

  const takePlain = (datagram: Uint8Array): void => {
    const frame = datagram.subarray(PLAIN_HEADER_BYTES);
    const type = frame[4];
    // A control frame has its place in their order, or none.
    if (!isFrame(frame) || (type !== FrameType.data && type !== FrameType.clock)) {
      options.malformed();
    } else events?.data(frame);
  };

  const doubtItsThere = (reason: string): void => {
    if (state === "gone" || doubt !== undefined) return;
    const atUs = nowUs();
    doubt = { reason, asked: 0, dueUs: atUs };
    options.wake(peer, atUs);
  };

  const takeByKind = (datagram: Uint8Array, from: Endpoint): void => {
    switch (datagram[0]) {
      case DatagramKind.plain:
        return takePlain(datagram);
      case DatagramKind.control:
        if (!receiver.take(datagram)) finish("the other end broke the rules of control frames");
        return;
      case DatagramKind.ack: {
        const atUs = nowUs();
        control.acknowledged(readNumber(datagram), atUs);
        if (state === "ending" && control.isIdle) finish();
        else options.wake(peer, control.tick(atUs));
        return;
      }
      case DatagramKind.challenge:
        return answerChallenge(datagram);
      case DatagramKind.response:
        return takeResponse(datagram, from);
      case DatagramKind.close:
        return finish(state === "ending" ? undefined : UNKNOWN_SESSION);
    }
  };

  const peer: DatagramPeer = {
    token,
    get endpoint() {
      return endpoint;
    },
    link: {
      transport: "udp",
      get peer() {
        return options.format(endpoint);
      },
      write(piece) {
        if (state === "gone") return true;
        for (const slice of piece) writeFrames(slice);
        return true;
      },
      pause() {},
      resume() {},
      secure(given, isProven) {
        macs = { ...given, isProven };
      },
      end() {
        if (state !== "open") return;
        state = "ending";
        const atUs = nowUs();
        lingerUs = atUs + LINGER_US;
        if (control.isIdle) finish();
        else options.wake(peer, control.tick(atUs));
      },
      destroy() {
        if (state === "gone") return;
        send(writeClose(token));
        finish();
      },
    },
    listen(to) {
      events = to;
    },
    take(datagram, from) {
      if (!hasToken(datagram, token)) return false;
      if (state === "gone") return true;
      const body = authenticate(datagram);
      if (body === undefined) {
        // A server that was started anew knows no key: but so does whoever forges it.
        if (datagram[0] === DatagramKind.close) doubtItsThere(UNKNOWN_SESSION);
        options.malformed();
        return true;
      }
      doubt = undefined;
      if (!isHere(from) && body[0] !== DatagramKind.response) {
        askElsewhere(from, datagram.byteLength, nowUs());
      }
      takeByKind(body, from);
      return true;
    },
    doubt: doubtItsThere,
    fail: finish,
    tick(atUs) {
      if (state === "gone") {
        options.gone(peer);
        events?.closed(error);
        return Infinity;
      }
      const dueUs = control.tick(atUs);
      if (control.failure !== undefined) finish(control.failure);
      if (atUs >= lingerUs) finish();
      if (doubt !== undefined && atUs >= doubt.dueUs) {
        if (doubt.asked === MAX_UNANSWERED) finish(doubt.reason);
        else ask(endpoint, atUs);
        doubt.asked++;
        doubt.dueUs = atUs + DOUBT_US;
      }
      if ((state as string) === "gone") return atUs;
      return Math.min(dueUs, lingerUs, doubt?.dueUs ?? Infinity);
    },
  };
  return peer;
}
