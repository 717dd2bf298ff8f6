import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  DEFAULT_VIEW,
  METRICS,
  SHOWN,
  SORT_COLUMNS,
  THEMES,
  type View,
  viewFromHash,
  viewToHash,
  WINDOWS_S,
} from "./view.ts";

const views: fc.Arbitrary<View> = fc.record({
  filter: fc.string({ unit: "grapheme" }),
  shown: fc.constantFrom(...SHOWN),
  metric: fc.constantFrom(...METRICS),
  windowS: fc.constantFrom(...WINDOWS_S),
  theme: fc.constantFrom(...THEMES),
  selected: fc.option(
    fc.record({ from: fc.string(), to: fc.string() }, { noNullPrototype: true }),
    { nil: undefined },
  ),
  sort: fc.constantFrom(...SORT_COLUMNS),
  ascending: fc.boolean(),
}, { noNullPrototype: true });

test("a link keeps every view", () => {
  fc.assert(fc.property(views, (view) => {
    assert.deepEqual(viewFromHash(`#${viewToHash(view)}`), view);
  }));
});

test("the default view has no need of a link, and anything else becomes a view", () => {
  assert.equal(viewToHash(DEFAULT_VIEW), "");
  assert.deepEqual(viewFromHash("#metric=p42&window=-1&theme=red&from=a&sort=%"), DEFAULT_VIEW);
  fc.assert(fc.property(fc.string(), (text) => void viewFromHash(text)));
});
