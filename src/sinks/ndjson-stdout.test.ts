import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const LINES = 50_000;

/** Writes lines to stdout and ends the process as soon as the sink is closed. */
const program = `
  const { createNdjsonSink } = await import(${
  JSON.stringify(new URL("./ndjson.ts", import.meta.url).href)
});
  const sink = createNdjsonSink({ path: "-", failed: (message) => process.stderr.write(message) });
  for (let i = 0; i < ${LINES}; i++) sink.write(JSON.stringify({ i }) + "\\n");
  await sink.close(5000);
  process.stderr.write(JSON.stringify(sink.summary()));
  process.exit(0);
`;

test("the path - is stdout, which has everything once the sink is closed", async () => {
  const isDeno = "Deno" in globalThis;
  const args = isDeno ? ["eval", "--ext=ts", program] : ["--input-type=module", "--eval", program];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd,
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, LINES);
  assert.deepEqual(JSON.parse(lines.at(-1)!), { i: LINES - 1 });
  const summary = {
    sink: "ndjson -",
    accepted: LINES,
    sent: LINES,
    failed: 0,
    dropped: 0,
    queued: 0,
    retried: 0,
    oldest_waiting_s: 0,
  };
  assert.deepEqual(JSON.parse(stderr), summary);
});
