// Makes the executables: `npm run build -- --help` tells how to ask for which.

import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { assetOf, bundle, programs } from "./bundle.ts";
import { bundledFolders } from "./bundled.ts";
import { writeChecksums } from "./checksums.ts";
import { formatLicenses, licensesOf, readLicense } from "./licenses.ts";
import { step } from "./progress.ts";
import { writeBill } from "./sbom.ts";
import { inject, makeBlob } from "./sea.ts";
import { describeCommit } from "./source.ts";
import { hostName, nodeVersion, placeNode, strip, targets } from "./targets.ts";
import { bundlePage } from "./web.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

const usage = `Usage: npm run build -- [--target NAME]...

Makes dist/performance-server and dist/performance-client for this machine, each
with its bill of materials (CycloneDX) in a .cdx.json, or the same in dist/NAME for another platform: ${
  Object.keys(targets).join(", ")
}.`;

/** Reads the command line: the names of the wanted targets, or undefined to show the help. */
function readTargets(args: string[]): string[] | undefined {
  const { values } = parseArgs({
    args,
    options: {
      target: { type: "string", multiple: true, default: [hostName] },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  for (const name of values.target) {
    if (!Object.hasOwn(targets, name)) {
      throw new Error(`no target ${name}; there are ${Object.keys(targets).join(", ")}`);
    }
  }
  return values.target;
}

/**
 * Bundles each program, with the licences of what is in it, into the folder `work`.
 *
 * @returns the version and commit, and of each program the folders of its packages and its assets
 */
async function bundleAll(work: string) {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const stamp = { version, commit: await describeCommit(root) };
  console.log(`performance-tester ${version}, commit ${stamp.commit}, Node ${nodeVersion}`);

  const { text } = await readLicense(join(root, "node_modules", targets[hostName]!.package));
  const node = { title: `Node.js ${nodeVersion}`, text };
  const filesOf: Record<string, string[]> = {};
  for (const [entry, asset] of Object.entries(assetOf)) {
    const file = join(work, `${asset}.cjs`);
    await step(`bundle ${asset}`, file, async () => {
      filesOf[entry] = (await bundle(root, entry, file, stamp)).files;
    });
  }
  const pageFile = join(work, "page.json");
  await step("bundle page", pageFile, async () => {
    const { page, inputs } = await bundlePage();
    filesOf["page"] = inputs;
    await writeFile(pageFile, JSON.stringify(page));
  });
  const parts: Record<string, { packages: string[]; assets: string[] }> = {};
  for (const { name, entry } of programs) {
    const file = join(work, `${name}.cjs`);
    await step(`bundle ${name}`, file, async () => {
      const { files, assets } = await bundle(root, entry, file, stamp);
      for (const from of ["page", ...assets]) files.push(...filesOf[from]!);
      parts[name] = { packages: bundledFolders(files), assets: assets.map((of) => assetOf[of]!) };
      const packages = await licensesOf(root, files);
      await writeFile(join(work, `${name}.licenses`), formatLicenses([node, ...packages]));
    });
  }
  return { stamp, parts };
}

/** Turns the bundles in `work` into the executables of one target, each with its bill of materials. */
async function buildTarget(
  work: string,
  targetName: string,
  { stamp, parts }: Awaited<ReturnType<typeof bundleAll>>,
) {
  const target = targets[targetName]!;
  const isHost = targetName === hostName;
  const folder = isHost ? dist : join(dist, targetName);
  await mkdir(folder, { recursive: true });

  const node = join(work, `node-${targetName}`);
  await step(`node ${targetName}`, node, async () => {
    await placeNode(root, targetName, target, node);
    return await strip(targetName, target, node);
  });

  const names = programs.flatMap(({ name }) => [name + target.suffix, `${name}.cdx.json`]);
  for (const { name, nodeFlags } of programs) {
    const { packages, assets } = parts[name]!;
    const blob = `${name}-${targetName}.blob`;
    const unfinished = join(work, name + target.suffix);
    const executable = join(folder, name + target.suffix);
    await step(relative(root, executable), executable, async () => {
      const embedded = {
        licenses: `${name}.licenses`,
        page: "page.json",
        ...Object.fromEntries(assets.map((asset) => [asset, `${asset}.cjs`])),
      };
      await makeBlob(work, { bundle: `${name}.cjs`, assets: embedded, blob }, nodeFlags, isHost);
      await copyFile(node, unfinished);
      await inject(root, unfinished, blob);
      // An older one may be running: its name can be taken over, its file not be written to.
      await rename(unfinished, executable);
      return target.untested && "untested";
    });
    const bill = join(folder, `${name}.cdx.json`);
    await step(relative(root, bill), bill, async () => {
      await writeBill(bill, { root, name, ...stamp, target, executable, packages });
    });
  }
  const sums = join(folder, "SHA256SUMS");
  await step(relative(root, sums), sums, () => writeChecksums(folder, names));
}

async function main() {
  const names = readTargets(process.argv.slice(2));
  if (names === undefined) return console.log(usage);
  await mkdir(dist, { recursive: true });
  const work = await mkdtemp(join(dist, ".work-"));
  try {
    const bundles = await bundleAll(work);
    for (const name of names) await buildTarget(work, name, bundles);
  } finally {
    await rm(work, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`build: ${(error as Error).message}`);
  process.exitCode = 1;
}
