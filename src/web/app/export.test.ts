import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyView } from "../../metrics/mesh-view.ts";
import { toCsv } from "./export.ts";

test("names in CSV are quoted where they must be, and never formulas", () => {
  const view = {
    ...{ key: 'a"b::~::c', from: 'a"b', to: "=1+1", route: "x,y", hops: 1, echo: false },
    reporters: ["@r"],
  } as unknown as KeyView;
  const figures = {
    count: 3,
    lost: 1,
    delays: { p50: 1.5, p95: 2, p99: 2, max: 2.25 },
    errorMs: undefined,
  };
  const key = { view, points: [], hasHistory: true, sum: undefined };
  const [head, row] = toCsv([{ key, figures, condition: "lossy", value: 2 }], 60).split("\r\n");
  assert.equal(head!.split(",").length, 16);
  assert.equal(
    row,
    `"a""b::~::c","a""b",'=1+1,"x,y",1,false,lossy,60,3,1,1.5,2,2,2.25,,'@r`,
  );
});
