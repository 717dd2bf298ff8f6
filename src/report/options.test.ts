import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../cli/command-line.ts";
import { helpText } from "../cli/help.ts";
import { reportOptions } from "./options.ts";

function configOf(argv: readonly string[], env: Record<string, string> = {}) {
  const outcome = parseCommandLine(reportOptions, argv, env);
  assert.ok(outcome.ok && outcome.action === "run", JSON.stringify(outcome));
  return outcome.config;
}

test("what belongs to no switch are the records, as they were written", () => {
  const { operands, compare } = configOf(["007", "a b", "--compare", "x", "y", "-", "--", "-v"]);
  assert.deepEqual(operands, ["007", "a b", "-", "-v"]);
  assert.deepEqual(compare, ["x", "y"]);
  assert.deepEqual(configOf(["f", "--compare=x", "y"]).compare, ["x", "y"]);
  assert.deepEqual(configOf(["--compare", "old/", "new/"]).operands, []);
});

test("a report has variables of its own: those of a client say nothing to it", () => {
  const env = { REPORT_BY: "route", CLIENT_JSON: "true", REPORT_COMPARE: "a b" };
  const { by, json, compare } = configOf(["f"], env);
  assert.deepEqual([by, json, compare], ["route", false, undefined]);
});

test("the help tells how it is called", () => {
  const help = helpText(reportOptions, { colour: false });
  assert.ok(help.startsWith("Usage: performance-client report [OPTIONS] FILE…\n"));
});
