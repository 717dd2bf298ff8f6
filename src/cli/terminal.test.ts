import assert from "node:assert/strict";
import { test } from "node:test";
import { createTerminal, type OutputStream } from "./terminal.ts";

const tty: OutputStream = { write: () => true, isTTY: true, columns: 132, rows: 50 };

test("a terminal has the size and the colours of its stream", () => {
  const terminal = createTerminal(tty, { TERM: "xterm-256color" });
  assert.deepEqual([terminal.columns(), terminal.rows()], [132, 50]);
  assert.deepEqual([terminal.isTerminal, terminal.colour], [true, true]);
});

test("its size follows the stream", () => {
  const stream = { ...tty };
  const terminal = createTerminal(stream, {});
  stream.columns = 60;
  stream.rows = 0;
  assert.deepEqual([terminal.columns(), terminal.rows()], [60, 24]);
});

test("NO_COLOR turns colours off unless it is empty", () => {
  assert.equal(createTerminal(tty, { NO_COLOR: "1" }).colour, false);
  assert.equal(createTerminal(tty, { NO_COLOR: "1" }).isTerminal, true);
  assert.equal(createTerminal(tty, { NO_COLOR: "" }).colour, true);
});

test("files, pipes and dumb terminals get neither colours nor cursor movements", () => {
  const written: string[] = [];
  const file = createTerminal({ write: (text) => written.push(text) }, {});
  file.write("text");
  assert.deepEqual(written, ["text"]);
  assert.deepEqual([file.isTerminal, file.colour, file.columns()], [false, false, 120]);
  const dumb = createTerminal(tty, { TERM: "dumb" });
  assert.deepEqual([dumb.isTerminal, dumb.colour, dumb.columns()], [false, false, 132]);
});
