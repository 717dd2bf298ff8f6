/**
 * What a relay hears before there is a session: a hello, and where tokens are asked for, the proof
 * of a client that it knows one (proof.ts).
 */
import type { Region } from "./frame.ts";
import { FrameType } from "./frame.ts";
import { type Hello, helloFault, readHello } from "./hello.ts";
import {
  areEqual,
  clientProof,
  type Hmac,
  PROOF_BYTES,
  PROOF_NONCE_BYTES,
  readProof,
  relayProof,
  sessionMacs,
  writeChallengeFrame,
} from "./proof.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { RefusalReason } from "./refusal.ts";
import type { Connection } from "./session.ts";
import { type Welcome, writeWelcome } from "./welcome.ts";

/** What clients have to know. */
export interface Secrets {
  /** The tokens of now: any one will do. */
  tokens: () => readonly Uint8Array[];
  hmac: Hmac;
}

/** A hello that counts, and the welcome that answers it; or why there is none. */
export type Greeted =
  | { hello: Hello; writeWelcome: (welcome: Welcome) => Uint8Array }
  | { refusal: RefusalReason; text: string };

export interface Greeter {
  /** Reads what has arrived; undefined where more is to come. Throws ProtocolError. */
  read(connection: Connection, nowUs: number): Greeted | undefined;
}

export function createGreeter(
  { secrets, randomBytes }: {
    secrets: Secrets | undefined;
    randomBytes: (count: number) => Uint8Array;
  },
): Greeter {
  /** The only frame that has come; undefined: it is not whole. */
  const readFrame = ({ splitter }: Connection): Uint8Array | undefined => {
    const region: Region | undefined = splitter.next();
    if (region === undefined) return undefined;
    const { bytes, view, start } = region;
    region.start += view.getUint32(start, true);
    const isAll = region.start === region.end && splitter.next() === undefined &&
      splitter.pendingBytes === 0;
    if (!isAll) throw new ProtocolError("more than a hello before the welcome");
    return bytes.subarray(start, region.start);
  };

  const takeHello = (connection: Connection, frame: Uint8Array, nowUs: number) => {
    const hello = readHello(frame);
    if (hello.probe) return { hello, writeWelcome };
    const { refusal } = connection.link;
    if (refusal !== undefined) return { refusal: "certificate", text: refusal } as const;
    const { nonce } = hello;
    if (secrets === undefined) {
      if (nonce === undefined) return { hello, writeWelcome };
      const text = "this server has no token, by which it could prove itself (--token-file)";
      return { refusal: "no-token", text } as const;
    }
    if (nonce === undefined) {
      return { refusal: "no-token", text: "a token is required (--token-file)" } as const;
    }
    const challenge = writeChallengeFrame(randomBytes(PROOF_NONCE_BYTES));
    connection.challenged = { hello, nonce, helloFrame: frame.slice(), challenge };
    connection.outbox.sendControl(challenge, nowUs);
    return undefined;
  };

  const takeProof = (
    { link }: Connection,
    { hello, nonce, helloFrame, challenge }: NonNullable<Connection["challenged"]>,
    frame: Uint8Array,
    { tokens, hmac }: Secrets,
  ): Greeted => {
    if (frame[4] !== FrameType.proof) throw new ProtocolError("no proof after the challenge");
    const proof = readProof(frame);
    const proofFrame = frame.slice();
    for (const token of tokens()) {
      const mac = hmac(token);
      if (!areEqual(clientProof(mac, helloFrame, challenge), proof)) continue;
      const macs = sessionMacs(hmac, token, nonce, challenge.subarray(-PROOF_NONCE_BYTES));
      link.secure?.({ send: macs.relay, receive: macs.client }, true);
      return {
        hello,
        writeWelcome(welcome) {
          const bytes = writeWelcome({ ...welcome, proof: new Uint8Array(PROOF_BYTES) });
          const proven = relayProof(mac, helloFrame, challenge, proofFrame, bytes);
          bytes.set(proven, bytes.byteLength - PROOF_BYTES);
          return bytes;
        },
      };
    }
    return { refusal: "wrong-token", text: "wrong token (--token-file)" };
  };

  return {
    read(connection, nowUs) {
      const frame = readFrame(connection);
      const { challenged } = connection;
      if (frame === undefined) {
        const fault = challenged ? undefined : helloFault(connection.splitter.peek());
        if (fault !== undefined) throw new ProtocolError(fault);
        return undefined;
      }
      if (challenged === undefined || secrets === undefined) {
        return takeHello(connection, frame, nowUs);
      }
      return takeProof(connection, challenged, frame, secrets);
    },
  };
}
