import assert from "node:assert/strict";
import { test } from "node:test";
import { createMeetingPlaces, type Waiting } from "./pair-meeting.ts";

const message = (side: 0 | 1, ms = 1): Waiting => ({ side, ms, rawMs: ms, receivedUs: 0 });

test("messages of one number on two sides meet once, in one place", () => {
  const places = createMeetingPlaces();
  const [here, elsewhere] = [places.placeOf("here"), places.placeOf("elsewhere")];
  assert.equal(here(5, message(0, 50)), undefined);
  assert.equal(elsewhere(5, message(1)), undefined);
  assert.equal(here(6, message(1)), undefined);
  assert.equal(here(5, message(0)), undefined, "the same side twice");
  assert.equal(here(5, message(1))?.ms, 50);
  assert.equal(here(5, message(1)), undefined, "it has met already");
});

test("a partner may come late, but not for ever, so that few wait", () => {
  const places = createMeetingPlaces();
  const meet = places.placeOf("here");
  const last = 1_000_000;
  for (let slot = 0; slot <= last; slot++) meet(slot, message(0));
  assert.equal(meet(last - 50_000, message(1))?.side, 0);
  assert.equal(meet(0, message(1)), undefined);
  assert.ok(places.forgotten > last - 150_000, `${places.forgotten} forgotten`);
});
