import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Folders of src that a folder's files may import from, beside its own. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  client: ["http", "cli", "sinks", "transport", "platform", "metrics", "relay"],
  server: ["web", "http", "cli", "sinks", "transport", "platform", "metrics", "relay"],
  report: ["web", "cli", "sinks", "transport", "platform", "metrics", "relay"],
  web: ["cli", "metrics"],
  http: ["cli", "transport", "platform", "metrics", "relay"],
  cli: ["metrics", "platform", "relay"],
  sinks: ["metrics", "platform", "relay"],
  transport: ["relay"],
  platform: ["relay"],
  metrics: ["relay"],
  relay: [],
  "std-cli": [],
};

/** Folders whose files import nothing but files of their own: no package, nothing of Node. */
const closed = ["relay", "std-cli"];

/** The one door to the report. */
const reportStarter = "client/main.ts";

interface Import {
  /** The importing file, relative to src. */
  from: string;
  /** The imported file, relative to src; else a package or a module of Node. */
  to: string;
  isOurs: boolean;
}

const importPattern =
  /^(?:import|export)\b[^"';]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

function importsOf(from: string): Import[] {
  const source = readFileSync(join(root, "src", from), "utf8");
  return [...source.matchAll(importPattern)].map((match) => {
    const to = match.slice(1).find((specifier) => specifier !== undefined)!;
    const isOurs = to.startsWith(".");
    return { from, to: isOurs ? join(dirname(from), to).replaceAll("\\", "/") : to, isOurs };
  });
}

/** All imports of the executables, from their first module on. */
function importsOfExecutables(): Import[] {
  const files = new Set(["client/main.ts", "server/main.ts"]);
  const imports: Import[] = [];
  // A set that grows while it is gone through is gone through to its end.
  for (const file of files) {
    for (const each of importsOf(file)) {
      imports.push(each);
      if (each.isOurs && each.to.endsWith(".ts")) files.add(each.to);
    }
  }
  return imports;
}

const folderOf = (file: string) => file.split("/")[0]!;
const describe = ({ from, to }: Import) => `${from} imports ${to}`;

test("imports point one way: from the executables to the relay core", () => {
  const imports = importsOfExecutables();
  assert.ok(imports.length > 50, "the imports are found");
  const wrong = imports.filter(({ from, to, isOurs }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    // The version is read from package.json.
    if (!isOurs || source === target || to === "../package.json") return false;
    if (from === reportStarter && target === "report") return false;
    return !allowed[source]?.includes(target);
  });
  assert.deepEqual(wrong.map(describe), []);
});

test("the relay core and the command line parser import nothing but themselves", () => {
  const wrong = importsOfExecutables()
    .filter(({ from, isOurs }) => closed.includes(folderOf(from)) && !isOurs);
  assert.deepEqual(wrong.map(describe), []);
});

test("the executables contain nothing that is only for tests", () => {
  const wrong = importsOfExecutables().filter(({ to, isOurs }) =>
    isOurs && /\.test\.ts$|^relay\/(simulation|vectors)\/|^e2e\//.test(to)
  );
  assert.deepEqual(wrong.map(describe), []);
});

test("every folder of src has its place in the order of imports", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const known = [...Object.keys(allowed), "e2e"];
  assert.deepEqual(folders.filter((folder) => !known.includes(folder)), []);
});

const skip = existsSync(join(root, ".git")) ? false : "this is no git checkout";

test("the top level has nothing but its known entries", { skip }, () => {
  const known = [
    ...["src", "build", "docker", "scripts", "deno.json", "package.json", "tsconfig.json"],
    ...["README.md", "CHANGELOG.md", "LICENSE", "package-lock.json", "deno.lock"],
  ];
  const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" });
  const entries = new Set(files.trim().split("\n").map((file) => file.split("/")[0]!));
  const isKnown = (entry: string) => entry.startsWith(".") || known.includes(entry);
  assert.deepEqual([...entries].filter((entry) => !isKnown(entry)), []);
});
