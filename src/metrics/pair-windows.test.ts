import assert from "node:assert/strict";
import { test } from "node:test";
import { createSequenceWindow, createSlotWindow, type PairWindow } from "./pair-windows.ts";

const BYTES_PER_NUMBER = 8;

/** Writes the key itself into the first number of its row. */
function write(window: PairWindow, key: number): void {
  const row = window.rowOf(key);
  window.values[row] = key;
}

function read(window: PairWindow, key: number): number {
  const row = window.rowOf(key);
  return row < 0 ? -1 : window.values[row]!;
}

test("a sequence window keeps the newest rows and begins new ones empty", () => {
  const window = createSequenceWindow(2, () => false);
  for (let sequence = 0; sequence < 100; sequence++) write(window, sequence);
  for (let sequence = 36; sequence < 100; sequence++) {
    assert.equal(read(window, sequence), sequence);
  }
  assert.equal(read(window, 35), -1);
  assert.ok(Number.isNaN(read(window, 100)));
});

test("a sequence window grows only by leave, and keeps its rows", () => {
  const asked: number[] = [];
  const window = createSequenceWindow(2, (rows) => asked.push(rows) <= 1);
  for (let sequence = 0; sequence < 100; sequence++) write(window, sequence);
  assert.equal(read(window, 1), -1);
  for (let sequence = 36; sequence < 100; sequence++) {
    assert.equal(read(window, sequence), sequence);
  }
  for (let sequence = 100; sequence < 200; sequence++) write(window, sequence);
  for (let sequence = 72; sequence < 200; sequence++) {
    assert.equal(read(window, sequence), sequence);
  }
  assert.equal(read(window, 71), -1);
  assert.deepEqual(asked, [64, 128]);
  assert.equal(window.values.byteLength, 128 * 2 * BYTES_PER_NUMBER);
});

test("a slot window holds at most its bound, and gives the oldest up first", () => {
  const window = createSlotWindow(3, Infinity, 256);
  for (let slot = 0; slot < 10_000; slot++) write(window, slot * 0.25);
  assert.equal(window.values.byteLength, 256 * 3 * BYTES_PER_NUMBER);
  for (let slot = 10_000 - 256; slot < 10_000; slot++) {
    assert.equal(read(window, slot * 0.25), slot * 0.25);
  }
  assert.equal(read(window, (10_000 - 257) * 0.25), -1);
});

test("a slot window takes no more room than its span needs", () => {
  const window = createSlotWindow(3, 60e6, 16_384);
  for (let slot = 0; slot < 10_000; slot++) write(window, slot * 1e6);
  assert.equal(window.values.byteLength, 64 * 3 * BYTES_PER_NUMBER);
});
