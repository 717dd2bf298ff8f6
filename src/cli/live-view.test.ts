import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import { createLiveView, isShownLive } from "./live-view.ts";
import { clientRun, key, sevenRegionsRun, trend, twoRoutesRun } from "./sample-runs.ts";
import { finalTables } from "./tables.ts";
import type { Terminal } from "./terminal.ts";

/** What a terminal would show: all of its lines, those scrolled away included. */
function screen(columns = 80, rows = 24) {
  const lines: string[] = [];
  let [row, column, top] = [0, 0, 0];
  const size = { columns, rows };
  const used: string[] = [];

  function put(character: string) {
    if (column >= size.columns) [row, column] = [row + 1, 0];
    const line = (lines[row] ?? "").padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column++;
  }

  function write(text: string) {
    used.push(text);
    // deno-lint-ignore no-control-regex
    for (const [token, count, command] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|[^]/gu)) {
      if (command === "A") row = Math.max(top, row - Number(count));
      else if (command === "K") lines[row] = "";
      else if (command === "J") lines.splice(row, Infinity, (lines[row] ?? "").slice(0, column));
      else if (command !== undefined) assert.equal(command, "m", `unknown command ${token}`);
      else if (token === "\r") column = 0;
      else if (token === "\n") [row, column] = [row + 1, 0];
      else put(token);
      lines[row] ??= "";
      top = Math.max(top, row - size.rows + 1);
    }
  }

  /** A terminal made narrower wraps what it shows. */
  function resize(columns: number) {
    const before = lines.length;
    const wrapped = lines.flatMap((line) =>
      line === "" ? [""] : line.match(new RegExp(`.{1,${columns}}`, "gu")) ?? []
    );
    lines.splice(0, Infinity, ...wrapped);
    row += lines.length - before;
    size.columns = columns;
  }

  const terminal: Terminal = {
    write,
    columns: () => size.columns,
    rows: () => size.rows,
    isTerminal: true,
    colour: false,
  };
  const text = () => lines.map((line) => `${line.trimEnd()}\n`).join("").trimEnd();
  return { terminal, text, resize, used, size };
}

/** Unix time 75 s after the samples' start. */
const nowMs = () => Date.UTC(2026, 2, 1, 12, 1, 15);

/** What a view shows of a run on an empty screen. */
function alone(run: RunSummary, columns = 80, rows = 24): string {
  const fresh = screen(columns, rows);
  createLiveView(fresh.terminal, nowMs).draw(run);
  return fresh.text();
}

test("the view begins with the tool and the time since the start", () => {
  assert.match(alone(clientRun()), /^performance-client client-a {2}1:15 {2}1,250 sent/);
});

test("each drawing takes the place of the one before, longer or shorter", () => {
  const { terminal, text } = screen();
  terminal.write("$ performance-client\n");
  const view = createLiveView(terminal, nowMs);
  for (
    const run of [
      clientRun({ keys: [] }),
      clientRun(),
      clientRun({ sent: 7 }),
      clientRun({ keys: [] }),
    ]
  ) {
    view.draw(run);
    assert.equal(text(), `$ performance-client\n${alone(run)}`);
  }
});

test("log lines stand above the view, which stays whole", () => {
  const { terminal, text } = screen();
  const view = createLiveView(terminal, nowMs);
  view.draw(clientRun());
  assert.equal(view.interrupt(() => (terminal.write("connected\n"), "result")), "result");
  view.interrupt(() => terminal.write("reconnecting\n"));
  assert.equal(text(), `connected\nreconnecting\n${alone(clientRun())}`);
  view.draw(clientRun({ sent: 7 }));
  assert.equal(text(), `connected\nreconnecting\n${alone(clientRun({ sent: 7 }))}`);
});

test("the view comes back even when what interrupts it fails", () => {
  const { terminal, text } = screen();
  const view = createLiveView(terminal, nowMs);
  view.draw(clientRun());
  assert.throws(() =>
    view.interrupt(() => {
      throw new Error("no log");
    }), /no log/);
  assert.equal(text(), alone(clientRun()));
});

test("clearing takes the view away, and log lines do not bring it back", () => {
  const { terminal, text } = screen();
  const view = createLiveView(terminal, nowMs);
  view.draw(clientRun());
  view.clear();
  view.clear();
  view.interrupt(() => terminal.write("a line\n"));
  assert.equal(text(), "a line");
  view.draw(clientRun());
  assert.equal(text(), `a line\n${alone(clientRun())}`);
});

test("after the end only the final tables are left, and nothing draws over them", () => {
  const { terminal, text } = screen();
  const view = createLiveView(terminal, nowMs);
  view.draw(clientRun());
  view.finish();
  const tables = finalTables(clientRun(), { width: 80, colour: false });
  terminal.write(tables);
  view.draw(clientRun());
  view.interrupt(() => terminal.write("closed\n"));
  assert.equal(text(), `${tables}closed`);
});

test("a low terminal shows the beginning, first without empty lines, then cut", () => {
  const run = twoRoutesRun();
  const whole = alone(run, 80, 100).split("\n");
  const filled = whole.filter((line) => line !== "");
  assert.deepEqual(alone(run, 80, whole.length + 1).split("\n"), whole);
  assert.deepEqual(alone(run, 80, whole.length).split("\n"), filled);
  assert.deepEqual(alone(run, 80, filled.length + 1).split("\n"), filled);
  assert.deepEqual(alone(run, 80, 12).split("\n"), [
    ...filled.slice(0, 10),
    `… ${filled.length - 10} more lines`,
  ]);
});

test("drawing again on a low terminal scrolls nothing away", () => {
  const { terminal, text } = screen(80, 10);
  terminal.write("$ performance-client\n");
  const view = createLiveView(terminal, nowMs);
  for (let turn = 0; turn < 20; turn++) view.draw(sevenRegionsRun({ sent: turn }));
  assert.equal(
    text(),
    `$ performance-client\n${alone(sevenRegionsRun({ sent: 19 }), 80, 10)}`,
  );
});

test("a terminal made narrower or wider is drawn anew at its width", () => {
  const { terminal, text, resize } = screen(140, 60);
  terminal.write("$ performance-client\n");
  const view = createLiveView(terminal, nowMs);
  view.draw(sevenRegionsRun());
  resize(70);
  view.draw(sevenRegionsRun());
  assert.equal(text(), `$ performance-client\n${alone(sevenRegionsRun(), 70, 60)}`);
  resize(120);
  view.interrupt(() => terminal.write("a line\n"));
  assert.equal(text(), `$ performance-client\na line\n${alone(sevenRegionsRun(), 120, 60)}`);
});

test("each drawing is written at once, so that none is seen half done", () => {
  const { terminal, used } = screen();
  createLiveView(terminal, nowMs).draw(clientRun());
  assert.equal(used.length, 1);
});

test("colours are used only where the terminal wants them", () => {
  const run = clientRun({ keys: [key(["a", "b"], "localhost", 1, { lost: 3, up: 3 })] });
  const plain = screen();
  createLiveView(plain.terminal, nowMs).draw(run);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(plain.used.join(""), /\x1b\[\d+m/);
  const coloured = screen();
  createLiveView({ ...coloured.terminal, colour: true }, nowMs).draw(run);
  // deno-lint-ignore no-control-regex
  assert.match(coloured.used.join(""), /\x1b\[31m +3\x1b\[0m/);
  assert.equal(coloured.text(), plain.text());
});

test("where there is still no room, what is said aside gives way before figures do", () => {
  const interval = { low: 0.04, high: 0.05 };
  const confidence_ms = { p50: interval, p95: interval, p99: { low: 0.06 } };
  const names = [["a", "b"], ["c", "b"], ["d", "b"]];
  const run = clientRun({ keys: names.map((pair) => key(pair, "x", 0.04, { confidence_ms })) });
  const whole = alone(run, 80, 100).split("\n").filter((line) => line !== "");
  const figures = whole.filter((line) => !/few messages|^ {6}/.test(line));
  assert.ok(figures.length < whole.length);
  assert.deepEqual(alone(run, 80, figures.length + 1).split("\n"), figures);
});

test("trends stand in the view, and stay when a log line passes", () => {
  const { terminal, text, size } = screen(80, 40);
  const view = createLiveView(terminal, nowMs);
  const { keys } = clientRun();
  view.draw(clientRun(), { intervalMs: 10_000, keys: keys.map((one) => trend(one)) });
  assert.match(text(), /server → client-a +▁█ /);
  size.columns = 90;
  view.interrupt(() => terminal.write("a line\n"));
  assert.match(text(), /^a line\n[^]*server → client-a +▁█ /);
});

test("figures are drawn in place on a terminal only, unless that is not wanted", () => {
  const config = { live: true, json: false, ndjson: undefined };
  const terminal = { isTerminal: true };
  assert.equal(isShownLive(terminal, config), true);
  assert.equal(isShownLive({ isTerminal: false }, config), false);
  assert.equal(isShownLive(terminal, { ...config, live: false }), false);
  assert.equal(isShownLive(terminal, { ...config, json: true }), false);
  assert.equal(isShownLive(terminal, { ...config, ndjson: "-" }), false);
  assert.equal(isShownLive(terminal, { ...config, ndjson: "file" }), true);
});

test("without a terminal nothing is drawn, and log lines pass", () => {
  const { terminal, used } = screen();
  const view = createLiveView({ ...terminal, isTerminal: false }, nowMs);
  view.draw(clientRun());
  view.interrupt(() => terminal.write("a line\n"));
  view.finish();
  assert.deepEqual(used, ["a line\n"]);
});
