/**
 * How both ends prove to one another that they know the same secret, the token, without telling it
 * to anyone: by HMAC-SHA-256 under the token, over random bits of both and all that was said.
 *
 *     client                                   relay
 *       hello, with its nonce ──────────────────>
 *       <───────────────────────────── challenge: the relay's nonce
 *       proof: the client's ────────────────────>
 *       <────────────── welcome, with the relay's proof at its end
 *
 *     challenge   | length u32 | 9  | 0 | nonce, 16 bytes |
 *     proof       | length u32 | 10 | 0 | client's proof, 32 bytes |
 *
 *     client's proof = HMAC(token, "performance-tester 1 client" hello challenge)
 *     relay's proof  = HMAC(token, "performance-tester 1 relay" hello challenge proof welcome)
 *
 * hello, challenge and proof are the whole frames, welcome is the frame without the relay's proof,
 * which is its end. Each begins with its length, so no two sequences of frames are the same bytes.
 * The labels differ, so that no proof can be sent back to who made it; the nonces are new each
 * time, so that none can be used again. Who comes to a relay proves first: a stranger learns
 * nothing that a token could be guessed by.
 *
 * Where datagrams travel, each that follows carries a MAC (datagram.ts), under a key for each
 * direction, by HKDF (RFC 5869) from the token:
 *
 *     secret = HMAC(client's nonce, relay's nonce; token)      the two nonces, joined, are the key
 *     key    = HMAC(secret, "performance-tester 1 client datagrams" 1), and "… relay datagrams" 1
 */
import { createReader, createWriter } from "./bytes.ts";
import { FrameType } from "./frame.ts";

/** Makes what computes HMAC-SHA-256 under a key, over parts as if they were joined. */
export type Hmac = (key: Uint8Array) => Mac;
export type Mac = (parts: readonly Uint8Array[]) => Uint8Array;

export const PROOF_NONCE_BYTES = 16;
export const PROOF_BYTES = 32;

const utf8 = new TextEncoder();
const CLIENT = utf8.encode("performance-tester 1 client");
const RELAY = utf8.encode("performance-tester 1 relay");
const CLIENT_DATAGRAMS = utf8.encode("performance-tester 1 client datagrams\x01");
const RELAY_DATAGRAMS = utf8.encode("performance-tester 1 relay datagrams\x01");

export function writeChallengeFrame(nonce: Uint8Array): Uint8Array {
  const writer = createWriter(FrameType.challenge, 0);
  writer.bytes(nonce);
  return writer.finish();
}

/** Returns the relay's nonce. Throws ProtocolError. */
export function readChallengeFrame(frame: Uint8Array): Uint8Array {
  return readOnly(frame, PROOF_NONCE_BYTES, "challenge");
}

export function writeProof(proof: Uint8Array): Uint8Array {
  const writer = createWriter(FrameType.proof, 0);
  writer.bytes(proof);
  return writer.finish();
}

/** Returns the client's proof. Throws ProtocolError. */
export function readProof(frame: Uint8Array): Uint8Array {
  return readOnly(frame, PROOF_BYTES, "proof");
}

function readOnly(frame: Uint8Array, count: number, what: string): Uint8Array {
  const reader = createReader(frame, 6, what);
  const bytes = reader.bytes(count);
  reader.end();
  return bytes;
}

export const clientProof = (mac: Mac, hello: Uint8Array, challenge: Uint8Array): Uint8Array =>
  mac([CLIENT, hello, challenge]);

/** Of a relay, over a welcome whose last `PROOF_BYTES` are for it. */
export function relayProof(
  mac: Mac,
  hello: Uint8Array,
  challenge: Uint8Array,
  proof: Uint8Array,
  welcome: Uint8Array,
): Uint8Array {
  return mac([RELAY, hello, challenge, proof, welcome.subarray(0, -PROOF_BYTES)]);
}

/** What authenticates the datagrams of a session, each way. */
export interface SessionMacs {
  client: Mac;
  relay: Mac;
}

export function sessionMacs(
  hmac: Hmac,
  token: Uint8Array,
  clientNonce: Uint8Array,
  relayNonce: Uint8Array,
): SessionMacs {
  const salt = new Uint8Array(2 * PROOF_NONCE_BYTES);
  salt.set(clientNonce);
  salt.set(relayNonce, PROOF_NONCE_BYTES);
  const secret = hmac(hmac(salt)([token]));
  return { client: hmac(secret([CLIENT_DATAGRAMS])), relay: hmac(secret([RELAY_DATAGRAMS])) };
}

/** Takes as long whichever bytes differ. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let different = a.byteLength ^ b.byteLength;
  for (let i = 0; i < a.byteLength; i++) different |= a[i]! ^ (b[i] ?? 0);
  return different === 0;
}
