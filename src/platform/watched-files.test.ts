import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { watchFiles } from "./watched-files.ts";

/** Two files that belong together, as texts joined by `+`; one that says "bad" does not load. */
function createTest(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "watched-"));
  const paths = ["a", "b"].map((name) => join(folder, name));
  let written = 0;
  const write = (index: number, text: string): void => {
    // Another size each time: two writes may fall into one tick of the file system's clock.
    writeFileSync(paths[index]!, `${text}${" ".repeat(++written)}`);
  };
  write(0, "one");
  write(1, "two");
  const told: string[] = [];
  const watched = watchFiles({
    paths,
    load(read) {
      const texts = paths.map((path) => read(path).trim());
      if (texts.includes("bad")) throw new Error("it is bad");
      return texts.join("+");
    },
    changed: (value) => told.push(value),
    failed: (reason) => told.push(reason),
  });
  t.after(() => {
    watched.stop();
    rmSync(folder, { recursive: true });
  });
  return { folder, paths, write, told, watched };
}

test("files that stay as they are are loaded once", (t) => {
  const { watched, told } = createTest(t);
  for (let i = 0; i < 3; i++) watched.look();
  assert.equal(watched.current, "one+two");
  assert.deepEqual(told, []);
});

test("a change is taken once both files have stayed as they are for a while", (t) => {
  const { watched, told, write } = createTest(t);
  write(0, "three");
  watched.look();
  write(1, "four");
  watched.look();
  assert.deepEqual(told, []);
  watched.look();
  assert.deepEqual(told, ["three+four"]);
  assert.equal(watched.current, "three+four");
  watched.look();
  assert.equal(told.length, 1);
});

test("what does not load leaves what was there, is told once, and may be mended", (t) => {
  const { watched, told, write, paths } = createTest(t);
  write(0, "bad");
  for (let i = 0; i < 4; i++) watched.look();
  assert.deepEqual(told, ["it is bad"]);
  assert.equal(watched.current, "one+two");
  rmSync(paths[0]!);
  for (let i = 0; i < 4; i++) watched.look();
  assert.match(told[1]!, /there is no such file$/);
  assert.equal(watched.current, "one+two");
  write(0, "good");
  for (let i = 0; i < 3; i++) watched.look();
  assert.equal(watched.current, "good+two");
});

test("a link that is turned to another folder is a change", (t) => {
  const { watched, told, folder, paths } = createTest(t);
  const other = join(folder, "other");
  writeFileSync(other, "elsewhere");
  symlinkSync(other, join(folder, "link"));
  renameSync(join(folder, "link"), paths[0]!);
  for (let i = 0; i < 2; i++) watched.look();
  assert.deepEqual(told, ["elsewhere+two"]);
});
