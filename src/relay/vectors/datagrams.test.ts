import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  DatagramKind,
  hasToken,
  isSessionDatagram,
  plainHeader,
  readMore,
  readNumber,
  readSetUp,
  writeAck,
  writeChallenge,
  writeClose,
  writeControl,
  writeCookie,
  writeOpen,
  writeRequest,
} from "../datagram.ts";
import { toHex } from "../hex.ts";

type Kind = keyof typeof DatagramKind;

/** The bytes of a datagram, field by field, each with its meaning, and what they say together. */
interface Vector {
  datagram: Kind;
  about: string;
  fields: [hex: string, meaning: string][];
  /** Bytes as hexadecimal digits. */
  // deno-lint-ignore no-explicit-any
  value: any;
}

const BYTES = new Set(["nonce", "cookie", "hello", "token", "part", "challenge"]);
const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("datagrams.json", import.meta.url), "utf8"),
  (key, value) => BYTES.has(key) ? fromHex(value) : value,
);

const write: Record<Kind, (value: Vector["value"]) => Uint8Array> = {
  request: ({ nonce }) => writeRequest(nonce),
  cookie: ({ nonce, cookie }) => writeCookie(nonce, cookie),
  open: ({ nonce, cookie, hello }) => writeOpen(nonce, cookie, hello),
  plain: ({ token }) => plainHeader(token),
  control: ({ token, number, more, part }) => writeControl(token, number, more, part),
  ack: ({ token, number }) => writeAck(token, number),
  challenge: ({ token, challenge }) => writeChallenge("challenge", token, challenge),
  response: ({ token, challenge }) => writeChallenge("response", token, challenge),
  close: ({ token }) => writeClose(token),
};

for (const { datagram, about, fields, value } of vectors) {
  const bytes = fromHex(fields.map(([hex]) => hex).join(""));
  test(`${datagram}: ${about}`, () => {
    assert.equal(bytes[0], DatagramKind[datagram]);
    assert.equal(toHex(write[datagram](value)), toHex(bytes));
    if ("nonce" in value) {
      assert.deepEqual(readSetUp(bytes), value);
      return;
    }
    const whole = datagram === "plain" ? Uint8Array.of(...bytes, 1) : bytes;
    assert.ok(isSessionDatagram(whole));
    assert.ok(hasToken(bytes, value.token));
    for (let i = 0; i < 8; i++) assert.ok(!hasToken(bytes, value.token.with(i, 0)));
    if ("number" in value) assert.equal(readNumber(bytes), value.number);
    if ("more" in value) assert.equal(readMore(bytes), value.more);
  });
}

test("every kind of datagram has a vector", () => {
  assert.deepEqual(
    new Set(vectors.map(({ datagram }) => datagram)),
    new Set(Object.keys(DatagramKind)),
  );
});

test("datagrams of another length, magic or version are none", () => {
  for (const { datagram, fields, value } of vectors) {
    const bytes = fromHex(fields.map(([hex]) => hex).join(""));
    const isOpenEnded = datagram === "open" || datagram === "control" || datagram === "plain";
    if ("nonce" in value) {
      for (const at of [2, 4, 7]) assert.equal(readSetUp(bytes.with(at, 9)), undefined);
      if (!isOpenEnded) assert.equal(readSetUp(Uint8Array.of(...bytes, 0)), undefined);
      assert.equal(readSetUp(bytes.subarray(0, bytes.byteLength - 4)), undefined);
    } else {
      if (!isOpenEnded) assert.ok(!isSessionDatagram(Uint8Array.of(...bytes, 0)));
      assert.ok(!isSessionDatagram(bytes.subarray(0, 11)));
    }
  }
  assert.ok(!isSessionDatagram(new Uint8Array(0)));
});
