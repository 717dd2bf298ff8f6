import { test } from "node:test";
import assert from "node:assert/strict";
import type { Answer } from "./command-line.ts";
import { printAnswer, wantsColour } from "./exit.ts";
import { helpText } from "./help.ts";
import { type AnyTable, flag } from "./option.ts";

const table: AnyTable = {
  tool: "performance-client",
  prefix: "CLIENT",
  about: "Sends.",
  groups: ["All"],
  options: { verbose: flag({ group: "All", short: "v", help: "Says more." }) },
  examples: [],
  notes: [],
  finish: (config) => ({ value: { config, warnings: [] } }),
};
const plainHelp = helpText(table, { colour: false });

function print(answer: Answer, { isTTY = false, env = {} } = {}) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    isTTY,
    write: (text: string) => written[name] += text,
  });
  const code = printAnswer(
    table,
    answer,
    { stdout: output("stdout"), stderr: output("stderr"), env },
    { version: () => "1.0.0", licenses: () => "MIT\n" },
  );
  return { code, ...written };
}

test("wrong usage ends with 2 and says on stderr what is wrong, before the whole help", () => {
  const { code, stdout, stderr } = print({ ok: false, message: "unknown switch --x" });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(stderr, `performance-client: unknown switch --x\n\n${plainHelp}`);
});

test("the message stays on one line, however long it is", () => {
  const message = `--server: ${"x".repeat(200)} y`.repeat(2);
  assert.equal(
    print({ ok: false, message }).stderr.split("\n")[0],
    `performance-client: ${message}`,
  );
});

test("on a terminal the message comes again below the help, where it is seen", () => {
  const { stderr } = print({ ok: false, message: "unknown switch --x" }, { isTTY: true });
  assert.ok(stderr.startsWith("performance-client: unknown switch --x\n"));
  assert.ok(stderr.endsWith("\nperformance-client: unknown switch --x\n"));
});

test("help goes to stdout and ends with 0; colour needs a terminal that wants it", () => {
  const help: Answer = { ok: true, action: "help" };
  assert.deepEqual(print(help), { code: 0, stdout: plainHelp, stderr: "" });
  assert.ok(print(help, { isTTY: true }).stdout.includes("\x1b[1m"));
  assert.equal(print(help, { isTTY: true, env: { NO_COLOR: "1" } }).stdout, plainHelp);
  assert.equal(wantsColour({ isTTY: true, write: () => {} }, { NO_COLOR: "" }), true);
});

test("version and licences go to stdout, and end with 0", () => {
  assert.deepEqual(print({ ok: true, action: "version" }), {
    code: 0,
    stdout: "1.0.0\n",
    stderr: "",
  });
  assert.equal(print({ ok: true, action: "licenses" }).stdout, "MIT\n");
});
