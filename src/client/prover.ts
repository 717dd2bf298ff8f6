/** A client's side of proving a token (relay/proof.ts): its own proof, and the relay's. */
import type { Link } from "../relay/link.ts";
import {
  areEqual,
  clientProof,
  type Hmac,
  type Mac,
  readChallengeFrame,
  relayProof,
  sessionMacs,
  writeProof,
} from "../relay/proof.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { Welcome } from "../relay/welcome.ts";

/** What both ends know. */
export interface Secret {
  token: Uint8Array;
  hmac: Hmac;
}

export interface Prover {
  /** Answers a challenge with a proof; from then on the link is authenticated. */
  answer(challenge: Uint8Array): Uint8Array;
  /** Throws ProtocolError where the relay has not proven that it knows the token. */
  check(welcomeFrame: Uint8Array, welcome: Welcome): void;
}

/** Of a session that said this hello. Without a secret any relay will do. */
export function createProver(
  link: Link,
  { helloFrame, nonce, secret }: {
    helloFrame: Uint8Array;
    nonce: Uint8Array | undefined;
    secret: Secret | undefined;
  },
): Prover {
  let said: { mac: Mac; challenge: Uint8Array; proof: Uint8Array } | undefined;
  return {
    answer(challenge) {
      if (secret === undefined || nonce === undefined || said !== undefined) {
        throw new ProtocolError("the server asks for a proof at a wrong time");
      }
      const { hmac, token } = secret;
      const relayNonce = readChallengeFrame(challenge);
      const mac = hmac(token);
      const proof = writeProof(clientProof(mac, helloFrame, challenge));
      said = { mac, challenge: challenge.slice(), proof };
      const macs = sessionMacs(hmac, token, nonce, relayNonce);
      link.secure?.({ send: macs.client, receive: macs.relay }, false);
      return proof;
    },
    check(welcomeFrame, { proof }) {
      if (secret === undefined) return;
      const isProven = proof !== undefined && said !== undefined && areEqual(
        relayProof(said.mac, helloFrame, said.challenge, said.proof, welcomeFrame),
        proof,
      );
      if (!isProven) throw new ProtocolError("the server has not proven that it knows the token");
    },
  };
}
