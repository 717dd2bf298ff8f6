import { test } from "node:test";
import assert from "node:assert/strict";
import { hasControls } from "./escape.ts";
import { configureLog, type LogFormat, logFormat, logger } from "./log.ts";

async function collect(format: LogFormat, verbose = false): Promise<string[]> {
  const lines: string[] = [];
  await configureLog({ format, verbose, write: (line) => lines.push(line) });
  return lines;
}

test("text lines say when, how grave, which area, what, and the figures", async () => {
  const lines = await collect("text");
  logger("server").info("client connected", { peer: "10.0.0.1:5", route: "the direct one", n: 3 });
  assert.match(
    lines.join(""),
    /^\d\d:\d\d:\d\d\.\d{3} info {2}server: client connected peer=10\.0\.0\.1:5 route="the direct one" n=3\n$/,
  );
});

test("JSON lines hold the same, one object a line", async () => {
  const lines = await collect("json");
  logger("clock").warn("clock stepped", { step_ms: -5.5, reason: undefined, known: null });
  const { time, ...rest } = JSON.parse(lines.join(""));
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, {
    level: "warn",
    area: "clock",
    message: "clock stepped",
    step_ms: -5.5,
    known: null,
  });
  assert.ok(lines.join("").endsWith("}\n"));
});

test("a line is written before the call that logs it returns", async () => {
  const lines = await collect("text");
  logger("server").error("port 8080 is taken");
  assert.equal(lines.length, 1);
});

test("debug lines come with -v alone", async () => {
  const quiet = await collect("text");
  const log = logger("server");
  log.debug("detail");
  assert.equal(quiet.length, 0);
  const verbose = await collect("text", true);
  log.debug("detail");
  assert.match(verbose.join(""), /debug server: detail/);
});

test("what a peer chose forges no second line and moves no cursor", async () => {
  const evil = 'x\n00:00:00.000 info server: all is well\x1b[2J\x9b31m\u202e"';
  for (const format of ["text", "json"] as const) {
    const lines = await collect(format);
    logger("server").info(`closed ${evil}`, { name: evil });
    const written = lines.join("");
    assert.equal(hasControls(written.slice(0, -1)), false, written);
    if (format === "json") assert.equal(JSON.parse(written).name, evil);
  }
});

test("braces in a message are text, not placeholders", async () => {
  const lines = await collect("text");
  logger("server").info("hello {name} %s", { name: "x" });
  assert.match(lines.join(""), /hello \{name\} %s name=x/);
});

test("the format suits the stream unless one was asked for", () => {
  assert.equal(logFormat(undefined, true), "text");
  assert.equal(logFormat(undefined, false), "json");
  assert.equal(logFormat("json", true), "json");
  assert.equal(logFormat("text", false), "text");
});
