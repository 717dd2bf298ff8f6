import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "./failure.ts";
import { watchTokens } from "./tokens.ts";

/** Tokens as texts, and what was warned of. */
function read(text: string | undefined, file?: string) {
  const warnings: string[] = [];
  const tokens = watchTokens(
    {
      tokenFile: file,
      variable: "SERVER_TOKEN",
      env: text === undefined ? {} : { SERVER_TOKEN: text },
    },
    { warn: (message) => warnings.push(message), info() {} },
  );
  return { tokens: tokens?.().map((token) => new TextDecoder().decode(token)), warnings };
}

const LONG = "0123456789abcdef";

test("without a file and a variable there is no token", () => {
  assert.equal(read(undefined).tokens, undefined);
  assert.equal(read("").tokens, undefined);
});

test("each line is a token, without what surrounds it", () => {
  const { tokens, warnings } = read(`  ${LONG}\r\n\n${LONG} with a space\n`);
  assert.deepEqual(tokens, [LONG, `${LONG} with a space`]);
  assert.deepEqual(warnings, []);
});

test("the file counts where there is one, whatever the variable says", () => {
  const folder = mkdtempSync(join(tmpdir(), "tokens-"));
  const file = join(folder, "token");
  writeFileSync(file, `${LONG}\n`);
  assert.deepEqual(read("of the variable, which is long", file).tokens, [LONG]);
  rmSync(folder, { recursive: true });
});

test("a token that may be guessed is warned of, and never quoted", () => {
  const { tokens, warnings } = read("geheim");
  assert.deepEqual(tokens, ["geheim"]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /below 16 bytes/);
  assert.ok(!warnings[0]!.includes("geheim"));
});

for (
  const [what, text] of [
    ["no token", " \n \n"],
    ["more tokens than are tried", `${LONG}\n`.repeat(17)],
    ["a token longer than any", "x".repeat(1025)],
  ] as const
) {
  test(`${what} is a failure that says so and quotes nothing`, () => {
    assert.throws(() => read(text), (error: Error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /^SERVER_TOKEN holds/);
      return !error.message.includes(LONG) && !error.message.includes("xxx");
    });
  });
}
