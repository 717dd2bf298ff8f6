import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "./random.ts";
import { createSimClock } from "./sim-clock.ts";
import { createSimLink, type LinkOptions } from "./sim-link.ts";
import { createWorld } from "./world.ts";

/** Sends `count` numbers, 1 ms apart, over a link, and tells what came out and when. */
function sendNumbers(seed: number, options: LinkOptions, count = 2000) {
  const world = createWorld();
  const arrived: { value: number; trueUs: number }[] = [];
  const link = createSimLink<number>(world, createRandom(seed), options, (value) => {
    arrived.push({ value, trueUs: world.trueUs });
  });
  for (let value = 0; value < count; value++) world.at(value * 1000, () => link.send(value));
  world.run(Infinity);
  return arrived;
}

test("a seed determines everything that a link does, another seed changes it", () => {
  const options: LinkOptions = { delayUs: 500, jitterUs: 900, loss: 0.1, delivery: "datagram" };
  assert.deepEqual(sendNumbers(7, options), sendNumbers(7, options));
  assert.notDeepEqual(sendNumbers(7, options), sendNumbers(8, options));
});

test("random numbers are spread evenly, exponential ones have their mean", () => {
  const random = createRandom(42);
  const tenths = new Array<number>(10).fill(0);
  let sum = 0;
  for (let draw = 0; draw < 100_000; draw++) {
    const tenth = Math.floor(random.next() * 10);
    tenths[tenth] = tenths[tenth]! + 1;
    sum += random.exponential(30);
  }
  for (const share of tenths) assert.ok(Math.abs(share - 10_000) < 500, `${tenths}`);
  assert.ok(Math.abs(sum / 100_000 - 30) < 0.5, `${sum / 100_000}`);
});

test("a world does things in the order of their times, and of their planning at one time", () => {
  const world = createWorld();
  const done: string[] = [];
  world.at(20, () => done.push("c"));
  world.at(10, () => {
    done.push("a");
    world.after(10, () => done.push("d"));
    world.after(5, () => done.push("b"));
  });
  const cancel = world.at(15, () => done.push("cancelled"));
  cancel();
  world.at(31, () => done.push("too late"));
  world.run(30);
  assert.equal(done.join(""), "abcd");
  assert.equal(world.trueUs, 30);
});

test("a clock drifts, bends and steps, and never goes back", () => {
  const world = createWorld();
  const clock = createSimClock(world, { offsetUs: 100, driftPpm: 200 });
  const beginUs = clock.nowUs();
  world.run(1e6);
  assert.ok(Math.abs(clock.nowUs() - beginUs - 1_000_200) < 0.1);
  clock.setDriftPpm(-100);
  clock.step(5e6);
  world.run(2e6);
  assert.ok(Math.abs(clock.nowUs() - beginUs - 7_000_100) < 0.1);
  assert.ok(Math.abs(clock.trueTimeOf(clock.readingAt(3e6)) - 3e6) < 0.1);
  assert.throws(() => clock.step(-1), RangeError);
});

test("a stream delivers everything once and in order, late where the network lost it", () => {
  const arrived = sendNumbers(1, {
    delayUs: 5000,
    jitterUs: 3000,
    loss: 0.02,
    duplication: 0.1,
    delivery: "stream",
    retransmitUs: 50_000,
  });
  assert.deepEqual(arrived.map(({ value }) => value), Array.from({ length: 2000 }, (_, i) => i));
  assert.ok(arrived.some(({ value, trueUs }) => trueUs - value * 1000 > 50_000));
  assert.ok(arrived.every(({ value, trueUs }) => trueUs - value * 1000 >= 5000));
});

test("datagrams get lost, doubled and reordered as often as asked", () => {
  const arrived = sendNumbers(2, {
    delayUs: 5000,
    jitterUs: 3000,
    loss: 0.1,
    duplication: 0.05,
    delivery: "datagram",
  }, 20_000);
  const distinct = new Set(arrived.map(({ value }) => value)).size;
  assert.ok(Math.abs(distinct - 18_000) < 300, `${distinct}`);
  assert.ok(Math.abs(arrived.length - distinct - 900) < 150, `${arrived.length - distinct}`);
  assert.ok(arrived.some(({ value }, index) => value < (arrived[index - 1]?.value ?? 0)));
});

test("congestion raises the delay for its time and drains again", () => {
  const delays = sendNumbers(3, {
    delayUs: 1000,
    congestion: { everyUs: 1e6, lastsUs: 400e3, peakUs: 50e3 },
    delivery: "stream",
  }).map(({ value, trueUs }) => trueUs - value * 1000);
  const free = delays.filter((delayUs) => delayUs < 1001).length;
  assert.ok(Math.abs(free - 1200) < 5, `${free} of 2000 without queueing`);
  assert.ok(Math.max(...delays) > 50e3 && Math.max(...delays) <= 51e3);
});

test("bytes are copied for each delivery, and nothing leaves a link that was cut", () => {
  const world = createWorld();
  const arrived: Uint8Array[] = [];
  const options: LinkOptions = { delayUs: 10, duplication: 1, delivery: "datagram" };
  const link = createSimLink<Uint8Array>(
    world,
    createRandom(1),
    options,
    (bytes) => arrived.push(bytes),
  );
  const bytes = Uint8Array.of(1, 2, 3);
  link.send(bytes);
  bytes[0] = 9;
  world.run(100);
  assert.equal(arrived.length, 2);
  arrived[0]![1] = 7;
  assert.deepEqual([...arrived[1]!], [1, 2, 3]);
  link.send(bytes);
  link.cut();
  world.run(200);
  assert.equal(arrived.length, 2);
});

test("a link that is changed delays by its new figures", () => {
  const world = createWorld();
  const arrivedUs: number[] = [];
  const link = createSimLink<string>(
    world,
    createRandom(1),
    { delayUs: 10, delivery: "stream" },
    () => arrivedUs.push(world.trueUs),
  );
  link.send("soon");
  link.change({ delayUs: 500 });
  link.send("late");
  world.run(1000);
  assert.deepEqual(arrivedUs, [10, 500]);
});
