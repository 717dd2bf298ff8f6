import assert from "node:assert/strict";
import { test } from "node:test";
import { digits, renderTable } from "./table.ts";

const spread = (median: number, min = median, max = median) => ({ median, min, max });
const budget = { of: "ratio", atLeast: 4 } as const;

test("the table tells figures, ratios with their spread, and which budgets are met", () => {
  const table = renderTable([
    {
      what: "delivered",
      unit: "messages/s",
      reference: "nats-server",
      lines: [
        {
          contestant: "ours",
          figure: spread(6_123_456.7, 6e6, 7e6),
          ratio: spread(3, 2.5, 3.456),
          budget,
          met: false,
          missedBy: 0.25,
        },
        { contestant: "nats-server", figure: spread(2e6) },
        { contestant: "mosquitto", missing: "missing: mosquitto is not installed" },
      ],
    },
    {
      what: "lost",
      unit: "",
      lines: [{
        contestant: "ours",
        figure: spread(0),
        budget: { of: "figure", atMost: 0 },
        met: true,
        missedBy: 0,
      }],
    },
  ]);
  const cells = table.split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  assert.deepEqual(cells.slice(2), [
    [
      "delivered, messages/s",
      "ours",
      "6,123,457 (6,000,000–7,000,000)",
      "3 (2.5–3.46)",
      "≥ 4 × nats-server",
      "**no**, by 25 %",
    ],
    ["", "nats-server", "2,000,000", "", "", ""],
    ["", "mosquitto", "missing: mosquitto is not installed", "", "", ""],
    ["lost", "ours", "0", "", "≤ 0", "yes"],
  ]);
  assert.equal(new Set(table.split("\n").map((line) => line.length)).size, 1, "columns line up");
});

test("without the peer a budget is said to have none", () => {
  const table = renderTable([{
    what: "delivered",
    unit: "",
    reference: "nats-server",
    lines: [{ contestant: "ours", figure: spread(1), budget }],
  }]);
  assert.match(table, /\| no peer/);
});

test("figures have three digits and no exponent: what rounding leaves of nothing is 0", () => {
  assert.deepEqual([1234.5, 99.95, 0.01234, -9.3e-10, 0].map(digits), [
    ...["1,235", "100", "0.0123", "0", "0"],
  ]);
});
