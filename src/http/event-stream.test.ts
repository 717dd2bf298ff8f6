import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { createEventStream } from "./event-stream.ts";

/** A listener that takes what is written, or not. */
function createListener() {
  const listener = Object.assign(new EventEmitter(), {
    written: [] as string[],
    writableNeedDrain: false,
    writableLength: 0,
    destroyed: false,
    write(text: string | Uint8Array) {
      listener.written.push(text.toString());
    },
    end() {},
    destroy() {
      listener.destroyed = true;
    },
  });
  return listener;
}

const EMPTY = new TextEncoder().encode("{}");
const responseOf = (listener: unknown) => listener as ServerResponse;

test("a listener that takes nothing is let go, and holds nobody up", (t) => {
  let nowMs = 0;
  const events = createEventStream(() => nowMs);
  t.after(() => events.close());
  const slow = createListener();
  const quick = createListener();
  events.listen(responseOf(slow), EMPTY);
  events.listen(responseOf(quick), EMPTY);
  slow.writableNeedDrain = true;
  for (; nowMs <= 60_000; nowMs += 10_000) events.send("update", EMPTY);
  assert.equal(events.listeners, 2);
  events.send("update", EMPTY);
  assert.ok(slow.destroyed);
  assert.equal(quick.written.filter((text) => text.startsWith("event: update")).length, 8);
  assert.equal(events.listeners, 1);
  assert.equal(events.dropped, 1);
});

test("one that was slow for a moment stays", (t) => {
  let nowMs = 0;
  const events = createEventStream(() => nowMs);
  t.after(() => events.close());
  const listener = createListener();
  events.listen(responseOf(listener), EMPTY);
  for (let i = 0; i < 20; i++) {
    nowMs += 20_000;
    listener.writableNeedDrain = i % 3 !== 0;
    events.send("update", EMPTY);
  }
  assert.equal(events.listeners, 1);
});

test("one for whom too much waits is let go at once", (t) => {
  const events = createEventStream();
  t.after(() => events.close());
  const listener = createListener();
  events.listen(responseOf(listener), EMPTY);
  listener.writableLength = 33 * 1024 * 1024;
  events.send("update", EMPTY);
  assert.ok(listener.destroyed);
});

test("who leaves is forgotten", (t) => {
  const events = createEventStream();
  t.after(() => events.close());
  const listener = createListener();
  events.listen(responseOf(listener), EMPTY);
  listener.emit("close");
  assert.equal(events.listeners, 0);
});
