// Builds the executables from copies of the sources, so that neither `dist` nor the state of this
// checkout matters.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const programs = ["performance-server", "performance-client"];
const foreign = process.arch === "x64" ? "linux-arm64" : "linux-x64";
const skip = spawnSync("git", ["--version"]).status === 0 ? false : "git is not installed";

/** Copies what a build needs into `folder`, as a checkout that is always at the same commit. */
async function makeCheckout(folder: string) {
  const files = ["src", "build", "scripts", "package.json", "package-lock.json", "tsconfig.json"];
  for (const path of [...files, ".gitignore"]) {
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  for (const path of ["node_modules/.package-lock.json", ...Object.keys(packages)]) {
    const { dev, optional, link } = packages[path] ?? {};
    if (!/^node_modules\/(@[^/]+\/)?[^/@]+$/.test(path) || !existsSync(join(root, path))) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // A bundler names files by where they really are: what is bundled must be in the copy.
    if (link) await symlink(join(folder, packages[path].resolved), join(folder, path));
    else if (dev || optional) await symlink(join(root, path), join(folder, path));
    else await cp(join(root, path), join(folder, path), { recursive: true });
  }
  await mkdir(join(root, ".cache"), { recursive: true });
  await symlink(join(root, ".cache"), join(folder, ".cache"));

  const date = "2020-01-01T00:00:00Z";
  const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  const identity = ["-c", "user.name=test", "-c", "user.email=test", "-c", "commit.gpgsign=false"];
  await execute("git", ["init", "-q"], { cwd: folder });
  await execute("git", ["add", "."], { cwd: folder });
  await execute("git", [...identity, "commit", "-q", "-m", "copy"], { cwd: folder, env });
}

function build(folder: string, ...args: string[]) {
  return execute(join(folder, "scripts/build.sh"), args, { cwd: tmpdir() });
}

/** Reads `SHA256SUMS` after checking that it is true of the files beside it. */
async function readSums(folder: string): Promise<string> {
  const text = await readFile(join(folder, "SHA256SUMS"), "utf8");
  for (const line of text.trimEnd().split("\n")) {
    const [sum, name] = line.split("  ");
    const hash = createHash("sha256").update(await readFile(join(folder, name!))).digest("hex");
    assert.equal(hash, sum, `the sum of ${name}`);
  }
  return text;
}

describe("the build", { skip }, () => {
  let work: string;
  let one: string;
  let other: string;

  before(async () => {
    work = await mkdtemp(join(tmpdir(), "build-"));
    one = join(work, "one");
    other = join(work, "some/other folder");
    await Promise.all([one, other].map(async (folder) => {
      await makeCheckout(folder);
      await build(folder);
    }));
  });

  after(() => rm(work, { recursive: true }));

  test("makes the same bytes of one commit in two folders", async () => {
    const sums = await readSums(join(one, "dist"));
    assert.deepEqual(sums.match(/performance-.+/g), [
      ...["performance-client", "performance-client.cdx.json"],
      ...["performance-server", "performance-server.cdx.json"],
    ]);
    assert.equal(sums, await readSums(join(other, "dist")));
  });

  for (const program of programs) {
    test(`puts version and commit into ${program}`, async () => {
      const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
      const { stdout: head } = await execute("git", ["rev-parse", "HEAD"], { cwd: one });
      const { stdout } = await execute(join(one, "dist", program), ["--version"]);
      assert.ok(stdout.includes(version), stdout);
      assert.ok(stdout.includes(head.slice(0, 12)), stdout);
      assert.doesNotMatch(stdout, /uncommitted/);
    });

    test(`puts the licences of Node and of the bundled packages into ${program}`, async () => {
      const options = { maxBuffer: 2 ** 26 };
      const { stdout } = await execute(join(one, "dist", program), ["--licenses"], options);
      assert.match(stdout, /Node\.js 24\./);
      assert.match(stdout, /Copyright Node\.js contributors/);
      assert.match(stdout, /@logtape\/logtape \d/);
      assert.match(stdout, /Hong Minhee/);
    });

    test(`makes a bill of materials of ${program}, of all whose licences it shows`, async () => {
      const bill = JSON.parse(await readFile(join(one, "dist", `${program}.cdx.json`), "utf8"));
      assert.equal(bill.bomFormat, "CycloneDX");
      assert.equal(bill.specVersion, "1.6");
      const { component } = bill.metadata;
      assert.deepEqual([component.type, component.name], ["application", program]);
      const file = await readFile(join(one, "dist", program));
      const sha256 = createHash("sha256").update(file).digest("hex");
      assert.deepEqual(component.hashes, [{ alg: "SHA-256", content: sha256 }]);

      const { stdout } = await execute(join(one, "dist", program), ["--licenses"], {
        maxBuffer: 2 ** 26,
      });
      const titles = [...stdout.matchAll(/^ {2}(\S+) (\S+)$/gm)].map(([, ...title]) => title);
      const [node, ...packages] = bill.components;
      assert.deepEqual([node.type, node.name], ["platform", "node"]);
      assert.ok(node.components.some(({ name }: { name: string }) => name === "openssl"));
      assert.deepEqual(
        packages.map(({ name, version }: Record<string, string>) => [name, version]).sort(),
        titles.filter(([name]) => name !== "Node.js").sort(),
      );
      const { packages: locked } = JSON.parse(
        await readFile(join(root, "package-lock.json"), "utf8"),
      );
      const integrities = Object.values<{ integrity?: string }>(locked).map((each) =>
        each.integrity?.replace("sha512-", "")
      );
      const refs = new Set([component["bom-ref"]]);
      for (const each of bill.components) {
        refs.add(each["bom-ref"]);
        assert.match(each.purl, /^pkg:npm\/[^@]+@\d/);
        assert.match(each.licenses[0].license.id, /^[\w.-]+$/);
        const [{ alg, content }] = each.hashes;
        assert.equal(alg, "SHA-512");
        assert.ok(integrities.includes(Buffer.from(content, "hex").toString("base64")), each.purl);
      }
      for (const { ref, dependsOn } of bill.dependencies) {
        for (const each of [ref, ...dependsOn]) assert.ok(refs.has(each), each);
      }
    });

    test(`leaves NODE_OPTIONS no hold on ${program}`, async () => {
      const file = join(one, "dist", program);
      const plain = await execute(file, ["--version"]);
      for (const options of ["--inspect=127.0.0.1:0", "--require=/nonexistent", "--no-such-flag"]) {
        const env = { ...process.env, NODE_OPTIONS: options };
        assert.deepEqual(await execute(file, ["--version"], { env }), plain, options);
      }
    });
  }

  test("makes executables of another architecture in a folder of their own", async (t) => {
    const cached = (await readdir(join(root, ".cache"))).some((file) => file.includes(foreign));
    if (!cached && spawnSync("npm", ["view", `node-${foreign}`, "name"]).status !== 0) {
      return t.skip(`node-${foreign} is not in .cache, and npm cannot reach it`);
    }
    await build(one, "--target", foreign);
    const folder = join(one, "dist", foreign);
    await readSums(folder);
    for (const program of programs) {
      const file = await open(join(folder, program));
      const header = (await file.read(Buffer.alloc(20), 0, 20, 0)).buffer;
      await file.close();
      assert.equal(header.subarray(0, 4).toString("latin1"), "\x7fELF");
      // The machine in an ELF header: 183 is AArch64, 62 is x86-64.
      assert.equal(header.readUInt16LE(18), foreign === "linux-arm64" ? 183 : 62, program);
    }
  });
});
