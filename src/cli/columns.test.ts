import assert from "node:assert/strict";
import { test } from "node:test";
import { layout, type Row, type Table } from "./columns.ts";
import { line, renderLines } from "./lines.ts";

const columns = [
  { heading: "count", rank: 1 },
  { heading: "p50", rank: 0 },
  { heading: "p90", rank: 10 },
  { heading: "max", rank: 2 },
];

function row(texts: string[][], count: string, p50?: string, more: Partial<Row> = {}): Row {
  const cell = p50 === undefined ? undefined : { text: p50 };
  return { texts, cells: [{ text: count }, cell, cell, cell], ...more };
}

function drawn(table: Partial<Table> & { rows: Row[] }, width: number): string {
  const sections = [{ title: "Hops", rows: table.rows }];
  const lines = layout({ columns, sections, ...table }, width);
  return renderLines(lines, { width, colour: false });
}

test("names stand beside their figures where there is room, decimal points below one another", () => {
  const rows = [
    row([["a", "server"], ["direct"]], "1,240", "12.31"),
    row([["b"], ["x"]], "7", "0.0421"),
  ];
  assert.equal(
    drawn({ rows }, 60),
    `\
Hops                count      p50      p90      max
a → server  direct  1,240  12.31    12.31    12.31
b           x           7   0.0421   0.0421   0.0421
`,
  );
});

test("columns of high rank go first where there is no room", () => {
  const rows = [row([["a", "server"]], "1,240", "12.31")];
  assert.equal(
    drawn({ rows }, 38),
    "Hops        count    p50    p90    max\na → server  1,240  12.31  12.31  12.31\n",
  );
  assert.equal(
    drawn({ rows }, 37),
    "Hops        count    p50    max\na → server  1,240  12.31  12.31\n",
  );
});

test("names that leave no room for the essential columns stand above their figures", () => {
  const rows = [
    row([["client-eu", "server"], ["direct"]], "1,240", "12.31"),
    row([["client-us", "server"], ["direct"]], "40", "123.4"),
  ];
  assert.equal(
    drawn({ rows }, 30),
    `\
Hops  count     p50     max
client-eu → server · direct
      1,240   12.31   12.31
client-us → server · direct
         40  123.4   123.4
`,
  );
});

test("rows that share their first text stand below one heading", () => {
  const rows = [
    row([["client-eu", "server"], ["direct"]], "1,240", "12.31"),
    row([["client-eu", "server"], ["fast"]], "1,240", "8.02"),
    row([["client-us", "server"], ["direct>accelerated"]], "7", "8.02", {
      details: [line("    1 lost")],
    }),
  ];
  assert.equal(
    drawn({ rows, grouped: true }, 31),
    `\
Hops      count    p50    max
client-eu → server
  direct  1,240  12.31  12.31
  fast    1,240   8.02   8.02
client-us → server
  direct>accelerated
              7   8.02   8.02
    1 lost
`,
  );
});

test("sections share their columns, and a title too long for its place has its own line", () => {
  const one = row([["client-eu", "server"]], "1", "12.31");
  const sections = [
    { title: "A", rows: [one] },
    { title: "Empty", rows: [] },
    { title: "A title with many words", rows: [row([["client-eu", "server", "b"]], "1", "1.5")] },
  ];
  assert.equal(
    drawn({ rows: [], sections }, 36),
    `\
A                count    p50    max
client-eu → server
                     1  12.31  12.31

A title with many words
                 count    p50    max
client-eu → server → b
                     1   1.5    1.5
`,
  );
});

test("names too long for a line lose their middle, the longest first, and keep both ends", () => {
  const rows = [
    row([["client-eu-central-1", "server", "client-us-west-1"], ["direct"]], "1", "2.5"),
  ];
  assert.match(drawn({ rows }, 40), /^clie…al-1 → server → clie…st-1 · direct$/m);
});

test("columns without a single figure are left out", () => {
  assert.equal(drawn({ rows: [row([["a"]], "3")] }, 60), "Hops  count\na         3\n");
  assert.equal(drawn({ rows: [] }, 60), "");
});

test("asides are shown from 120 columns on where all of them fit", () => {
  const rows = [row([["a", "b"]], "3", "1.5", { aside: "a::~::b" })];
  assert.match(drawn({ rows }, 120), /^a → b {6}3 {2}1.5 {2}1.5 {2}1.5 {3}a::~::b$/m);
  assert.doesNotMatch(drawn({ rows }, 119), /::~::/);
  rows.push(row([["c", "d"]], "3", "1.5", { aside: "c".repeat(100) }));
  assert.doesNotMatch(drawn({ rows }, 120), /::~::/);
  const long = [row([["a".repeat(100), "b"]], "3", "1.5", { aside: "a::~::b" })];
  assert.match(drawn({ rows: long }, 120), /^a{100} → b {3}a::~::b$/m);
});
