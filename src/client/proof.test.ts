import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { createProcessPairs } from "../relay/process-pairs.ts";
import { type Hmac, PROOF_BYTES, relayProof, writeChallengeFrame } from "../relay/proof.ts";
import { type Welcome, writeWelcome } from "../relay/welcome.ts";
import { createClientSession, type SessionEnd, type SessionObserver } from "./session.ts";

const hmac: Hmac = (key) => (parts) => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
};
const token = new TextEncoder().encode("a token that both know");
const challenge = writeChallengeFrame(new Uint8Array(16).fill(7));
const welcome: Welcome = {
  metered: true,
  takesReports: false,
  session: 1,
  sessionId: new Uint8Array(8).fill(1),
  processId: new Uint8Array(16).fill(2),
  maxPayloadBytes: 65_536,
  heartbeatMs: 10_000,
  hopSlots: 2,
  name: "relay",
};

/** A session of a client with a token, or without, and what came of it. */
function createTest(hasToken = true) {
  const sent: Uint8Array[] = [];
  const ends: SessionEnd[] = [];
  let welcomed = 0;
  const observer: SessionObserver = {
    welcomed: () => welcomed++,
    opened() {},
    originJoined() {},
    originLeft() {},
    messages() {},
    rtt() {},
    clock() {},
    drained() {},
    ended: (_, end) => ends.push(end),
  };
  const session = createClientSession({
    transport: "tcp",
    peer: "192.0.2.1:8080",
    write(piece) {
      sent.push(...piece.map((slice) => slice.slice()));
      return true;
    },
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  }, {
    hello: {
      probe: false,
      echo: false,
      processId: new Uint8Array(16),
      previousSession: new Uint8Array(8),
      maxPayloadBytes: 65_536,
      flow: 0,
      mode: "paced",
      name: "client",
      route: "direct",
      prefix: "",
      ...(hasToken && { nonce: new Uint8Array(16).fill(9) }),
    },
    ...(hasToken && { secret: { token, hmac } }),
    pairs: createProcessPairs("estimate"),
    nowUs: () => 1e14,
    random: () => 0.5,
    hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
    maxBacklogBytes: 1 << 20,
    payload: new Uint8Array(1),
    wake() {},
    observer,
  });
  return {
    sent,
    ends,
    hear: (frame: Uint8Array) => session.events.data(frame.slice()),
    get welcomed() {
      return welcomed;
    },
  };
}

/** The welcome of a relay that knows `key`, after what the client has sent. */
function provenBy(key: Uint8Array, [hello, proof]: readonly Uint8Array[]): Uint8Array {
  const bytes = writeWelcome({ ...welcome, proof: new Uint8Array(PROOF_BYTES) });
  bytes.set(
    relayProof(hmac(key), hello!, challenge, proof!, bytes),
    bytes.byteLength - PROOF_BYTES,
  );
  return bytes;
}

test("a client with a token takes the welcome of a relay that proves that it knows it", () => {
  const test = createTest();
  test.hear(challenge);
  assert.equal(test.sent.length, 2);
  test.hear(provenBy(token, test.sent));
  assert.equal(test.welcomed, 1);
  assert.deepEqual(test.ends, []);
});

type Frames = readonly Uint8Array[];

/** The client's own proof, at the end of a welcome. */
function reflected([, proof]: Frames): Uint8Array {
  const bytes = writeWelcome({ ...welcome, proof: new Uint8Array(PROOF_BYTES) });
  bytes.set(proof!.subarray(-PROOF_BYTES), bytes.byteLength - PROOF_BYTES);
  return bytes;
}

const impostors: [what: string, first: Uint8Array, second?: (sent: Frames) => Uint8Array][] = [
  ["asks for no proof", writeWelcome(welcome)],
  ["asks, and proves nothing", challenge, () => writeWelcome(welcome)],
  ["proves another token", challenge, (sent) => provenBy(new Uint8Array(9), sent)],
  ["sends back the client's own proof", challenge, reflected],
  ["asks twice", challenge, () => challenge],
];
for (const [what, first, second] of impostors) {
  test(`a client with a token takes no relay that ${what}`, () => {
    const test = createTest();
    test.hear(first);
    if (second !== undefined) test.hear(second(test.sent));
    assert.equal(test.welcomed, 0);
    assert.equal(test.ends.length, 1);
    assert.match(test.ends[0]!.reason, /not proven|at a wrong time/);
  });
}

test("a welcome that was changed on its way is not taken", () => {
  const whole = createTest();
  whole.hear(challenge);
  const good = provenBy(token, whole.sent);
  for (const at of [12, 16, 24, 40, good.byteLength - 33]) {
    const test = createTest();
    test.hear(challenge);
    test.hear(good.with(at, good[at]! ^ 1));
    assert.equal(test.welcomed, 0, `byte ${at}`);
  }
});

test("a client without a token answers no challenge", () => {
  const test = createTest(false);
  test.hear(challenge);
  assert.equal(test.sent.length, 1);
  assert.equal(test.ends.length, 1);
});
