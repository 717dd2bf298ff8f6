import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Bye, ByeReason, type ByeReasonName, readBye, writeBye } from "./bye.ts";
import { type ClockFrame, readClockFrame, writeClockFrame } from "./clock-frame.ts";
import { type Counts, MAX_COUNTED_ORIGINS } from "./counts.ts";
import {
  type Directory,
  MAX_DIRECTORY_ENTRIES,
  readDirectory,
  writeDirectory,
} from "./directory.ts";
import {
  MAX_CONTROL_BYTES,
  MAX_NAME_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_ROUTE_BYTES,
  MAX_SEQUENCE,
} from "./frame.ts";
import { readHeartbeat, writeHeartbeat } from "./heartbeat.ts";
import { type Hello, helloFault, readHello, SendMode, writeHello } from "./hello.ts";
import { ProtocolError } from "./protocol-error.ts";
import { MAX_TIME_US } from "./time.ts";
import { readWelcome, type Welcome, writeWelcome } from "./welcome.ts";

const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;

/** Records as object literals make them. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(fields, { noNullPrototype: true });
const bytesOf = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const count = fc.maxSafeNat();
const finite = fc.double({ min: -MAX_TIME_US, max: MAX_TIME_US, noNaN: true });
const textOf = (maxBytes: number) =>
  fc.string({ unit: "grapheme", maxLength: maxBytes / 4 }).filter((text) =>
    new TextEncoder().encode(text).byteLength <= maxBytes
  );
const nameOf = (maxBytes: number) => textOf(maxBytes).filter((text) => !UNFIT.test(text));

const hello: fc.Arbitrary<Hello> = plain({
  probe: fc.boolean(),
  echo: fc.boolean(),
  processId: bytesOf(16),
  previousSession: bytesOf(8),
  maxPayloadBytes: fc.integer({ min: 0, max: MAX_PAYLOAD_BYTES }),
  flow: u16,
  mode: fc.constantFrom(...Object.keys(SendMode) as (keyof typeof SendMode)[]),
  name: nameOf(MAX_NAME_BYTES).filter((name) => name !== ""),
  route: nameOf(MAX_ROUTE_BYTES),
  prefix: textOf(200),
});

const welcome: fc.Arbitrary<Welcome> = plain({
  metered: fc.boolean(),
  takesReports: fc.boolean(),
  session: u32,
  sessionId: bytesOf(8),
  processId: bytesOf(16),
  maxPayloadBytes: fc.integer({ min: 0, max: MAX_PAYLOAD_BYTES }),
  heartbeatMs: fc.integer({ min: 100, max: 0xffff_ffff }),
  hopSlots: fc.integer({ min: 1, max: 255 }),
  name: nameOf(MAX_NAME_BYTES),
}).chain((base) =>
  fc.option(plain({ received: count, next: count }), { nil: undefined })
    .map((previous) => previous === undefined ? base : { ...base, previous })
);

const originCounts = plain({ session: u32, received: count, next: count, dropped: count });
const counts: fc.Arbitrary<Counts> = plain({
  sent: fc.integer({ min: 0, max: MAX_SEQUENCE }),
  origins: fc.array(originCounts, { maxLength: 50 }),
});
const bye: fc.Arbitrary<Bye> = plain({
  reason: fc.constantFrom(...Object.keys(ByeReason) as ByeReasonName[]),
  counts,
  text: textOf(500),
});
const directory: fc.Arbitrary<Directory> = plain({
  joined: fc.array(
    plain({
      session: u32,
      sessionId: bytesOf(8),
      flow: u16,
      received: count,
      next: count,
      name: nameOf(MAX_NAME_BYTES),
      route: nameOf(MAX_ROUTE_BYTES),
    }),
    { maxLength: 20 },
  ),
  left: fc.array(originCounts, { maxLength: 20 }),
});
const clock: fc.Arbitrary<ClockFrame> = plain({
  phase: fc.constantFrom(1, 2, 3),
  exchange: u32,
  soonestMs: u32,
  t1Us: finite,
  t2Us: finite,
  t3Us: finite,
  t4Us: finite,
  errorUs: fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: MAX_TIME_US, noNaN: true })),
  wallShiftUs: finite,
});

interface Codec<T> {
  values: fc.Arbitrary<T>;
  read(frame: Uint8Array): T;
  write(value: T): Uint8Array;
}

const codecs: { [name: string]: Codec<unknown> } = {
  hello: { values: hello, read: readHello, write: writeHello as (value: unknown) => Uint8Array },
  welcome: {
    values: welcome,
    read: readWelcome,
    write: writeWelcome as (value: unknown) => Uint8Array,
  },
  directory: {
    values: directory,
    read: readDirectory,
    write: writeDirectory as (value: unknown) => Uint8Array,
  },
  clock: {
    values: clock,
    read: readClockFrame,
    write: writeClockFrame as (value: unknown) => Uint8Array,
  },
  heartbeat: {
    values: counts,
    read: readHeartbeat,
    write: writeHeartbeat as (value: unknown) => Uint8Array,
  },
  bye: { values: bye, read: readBye, write: writeBye as (value: unknown) => Uint8Array },
};

/** What reading gives; undefined where the frame breaks the rules of the wire format. */
function readOrRefuse<T>(read: (frame: Uint8Array) => T, frame: Uint8Array): T | undefined {
  try {
    return read(frame);
  } catch (error) {
    if (error instanceof ProtocolError && error.message !== "") return undefined;
    throw error;
  }
}

for (const [name, { values, read, write }] of Object.entries(codecs)) {
  test(`a ${name} reads as it was written, wherever it stands in a buffer`, () => {
    fc.assert(fc.property(values, u16, (value, before) => {
      const frame = write(value);
      assert.equal(new DataView(frame.buffer).getUint32(0, true), frame.byteLength);
      const buffer = new Uint8Array(before + frame.byteLength + 7).fill(0xee);
      buffer.set(frame, before);
      assert.deepEqual(read(buffer.subarray(before, before + frame.byteLength)), value);
    }));
  });

  test(`a ${name} that is cut off, or goes on too long, is refused`, () => {
    fc.assert(fc.property(values, fc.nat(), (value, at) => {
      const frame = write(value);
      assert.equal(readOrRefuse(read, frame.subarray(0, at % frame.byteLength)), undefined);
      const longer = new Uint8Array(frame.byteLength + 1);
      longer.set(frame);
      assert.equal(readOrRefuse(read, longer), undefined);
    }));
  });

  test(`a ${name} with wrong bytes is refused, or says something that can be written`, () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(values, changes, (value, places) => {
        const frame = write(value);
        for (const [at, byte] of places) frame[at % frame.byteLength] = byte;
        const wrong = readOrRefuse(read, frame);
        if (wrong !== undefined) assert.deepEqual(read(write(wrong)), wrong);
      }),
      { numRuns: 500 },
    );
  });

  test(`any bytes are a ${name} or are refused`, () => {
    const start = write(fc.sample(values, { numRuns: 1, seed: 1 })[0]).subarray(0, 12);
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.of(...start, ...rest)),
    );
    fc.assert(fc.property(anything, (frame) => void readOrRefuse(read, frame)), { numRuns: 500 });
  });
}

test("the start of a hello is never at fault, as little of it as has come", () => {
  fc.assert(fc.property(hello, fc.nat(), (value, at) => {
    const frame = writeHello(value);
    assert.equal(helloFault(frame.subarray(0, at % (frame.byteLength + 1))), undefined);
  }));
});

test("strangers are known by their first bytes", () => {
  const ascii = new TextEncoder();
  const begins = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
  assert.equal(helloFault(new Uint8Array(0)), undefined);
  assert.match(helloFault(ascii.encode("GET / HTTP/1.1\r\n"))!, /not a hello/);
  assert.match(helloFault(begins([0x16, 0x03, 0x01, 0x02, 0x00]))!, /not a hello/);
  assert.match(helloFault(begins([60, 0, 0, 0, 2]))!, /not a hello: its type/);
  assert.match(helloFault(begins([60, 0, 0, 0, 1, 0, 9, 0]))!, /wire version 9, this is 1/);
  const noMagic = begins([60, 0, 0, 0, 1, 0, 1, 0, 1, 2, 3, 4]);
  assert.match(helloFault(noMagic)!, /not a hello: its magic/);
});

test("a hello without a name, or with a payload beyond the limit, is refused", () => {
  const [good] = fc.sample(hello, { numRuns: 1, seed: 3 });
  assert.throws(() => readHello(writeHello({ ...good!, name: "" })), /no name/);
  const maxPayloadBytes = MAX_PAYLOAD_BYTES + 1;
  assert.throws(() => readHello(writeHello({ ...good!, maxPayloadBytes })), /payload of 65537/);
});

test("a welcome that leaves no room for a hop, or beats too often, is refused", () => {
  const [good] = fc.sample(welcome, { numRuns: 1, seed: 3 });
  assert.throws(() => readWelcome(writeWelcome({ ...good!, hopSlots: 0 })), ProtocolError);
  assert.throws(() => readWelcome(writeWelcome({ ...good!, heartbeatMs: 99 })), ProtocolError);
});

test("counts are whole numbers from 0 on, wherever they stand", () => {
  for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    const entry = { session: 1, received: 0, next: 1, dropped: 0 };
    const origins = [{ ...entry, dropped: wrong }];
    assert.throws(() => readHeartbeat(writeHeartbeat({ sent: wrong, origins: [] })), ProtocolError);
    assert.throws(() => readHeartbeat(writeHeartbeat({ sent: 0, origins })), ProtocolError);
    assert.throws(() => readDirectory(writeDirectory({ joined: [], left: origins })));
    const [good] = fc.sample(welcome, { numRuns: 1, seed: 5 });
    const previous = { received: 1, next: wrong };
    assert.throws(() => readWelcome(writeWelcome({ ...good!, previous })), ProtocolError);
  }
});

test("the most entries that are written at once fit into one control frame", () => {
  const origin = { session: 0xffff_ffff, received: 2 ** 53 - 1, next: 2 ** 53 - 1, dropped: 0 };
  const origins = new Array(MAX_COUNTED_ORIGINS).fill(origin);
  const text = "é".repeat(250);
  const last = writeBye({ reason: "done", counts: { sent: 0, origins }, text });
  assert.ok(last.byteLength <= MAX_CONTROL_BYTES, `${last.byteLength} bytes`);
  assert.equal(readBye(last).counts.origins.length, MAX_COUNTED_ORIGINS);
  const joined = new Array(MAX_DIRECTORY_ENTRIES).fill({
    session: 1,
    sessionId: new Uint8Array(8),
    flow: 0,
    received: 0,
    next: 1,
    name: "n".repeat(MAX_NAME_BYTES),
    route: "r".repeat(MAX_ROUTE_BYTES),
  });
  const news = writeDirectory({ joined, left: [] });
  assert.ok(news.byteLength <= MAX_CONTROL_BYTES, `${news.byteLength} bytes`);
  assert.equal(readDirectory(news).joined.length, MAX_DIRECTORY_ENTRIES);
});

test("counts that claim more entries than there may be are refused before they are read", () => {
  const frame = writeHeartbeat({ sent: 0, origins: [] });
  new DataView(frame.buffer).setUint32(14, 0xffff_ffff, true);
  assert.throws(() => readHeartbeat(frame), /4294967295 origins/);
});

test("a clock frame with times that are no numbers is refused; a wrong bound is unknown", () => {
  const [good] = fc.sample(clock, { numRuns: 1, seed: 3 });
  for (const field of ["t1Us", "t2Us", "t3Us", "t4Us", "wallShiftUs"]) {
    for (const value of [NaN, Infinity, 1e300]) {
      const wrong = { ...good!, [field]: value };
      assert.throws(() => readClockFrame(writeClockFrame(wrong)), ProtocolError, field);
    }
  }
  assert.ok(Number.isNaN(readClockFrame(writeClockFrame({ ...good!, errorUs: -1 })).errorUs));
});

test("a hello whose name could forge a key, or be obeyed by a terminal, is refused", () => {
  const [good] = fc.sample(hello, { numRuns: 1, seed: 5 });
  const hostile = ["\u001b[2J", "\u0085", "\u202eevil", "\u2066", "\u200f", "\u2028", "\ufeff"];
  for (const name of ["a::~::b", "a<~>b", "", ...hostile.map((text) => `a${text}`)]) {
    assert.throws(() => readHello(writeHello({ ...good!, name })), ProtocolError, name);
  }
  for (const route of ["a::~::b", "a<~>b", "a\n", ...hostile]) {
    assert.throws(() => readHello(writeHello({ ...good!, route })), ProtocolError, route);
  }
});

test("a server that tells hostile names, of itself or of others, is not believed", () => {
  const [good] = fc.sample(welcome, { numRuns: 1, seed: 5 });
  const [others] = fc.sample(directory.filter(({ joined }) => joined.length > 0), {
    numRuns: 1,
    seed: 5,
  });
  const [first] = others!.joined;
  for (const text of ["a\u001b[2J", "a\u202eb", "a<~>b"]) {
    assert.throws(() => readWelcome(writeWelcome({ ...good!, name: text })), ProtocolError);
    for (const change of [{ name: text }, { route: text }]) {
      const told = { left: [], joined: [{ ...first!, ...change }] };
      assert.throws(() => readDirectory(writeDirectory(told)), ProtocolError);
    }
  }
});
