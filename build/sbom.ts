/**
 * Bills of materials: what is in an executable, for programs that look for known faults. In
 * CycloneDX 1.6 as JSON, and the same for the same executable: without the time of the build.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ALLOWED_LICENSES, type Manifest, readManifest } from "./bundled.ts";
import { nodeVersion, type Target } from "./targets.ts";

/** A package in an executable. */
export interface BundledPackage {
  /** As the lock file names it. */
  folder: string;
  manifest: Manifest;
  /** Of its tarball, as the lock file states it: `sha512-…`. */
  integrity: string;
}

export interface BillOptions {
  name: string;
  version: string;
  commit: string;
  target: Pick<Target, "package" | "integrity">;
  /** SHA-256 of the executable, in hexadecimal. */
  sha256: string;
  packages: readonly BundledPackage[];
  /** Versions of what Node itself contains, by name: `process.versions`. */
  nodeParts: Readonly<Record<string, string | undefined>>;
}

/** Versions of interfaces, not of parts. */
const NO_PARTS = new Set(["node", "modules", "napi", "unicode"]);

/**
 * Writes the bill of an executable that has just been made by this Node's version.
 *
 * @param options `packages`: folders of the packages in it, relative to `root`
 */
export async function writeBill(
  file: string,
  { root, executable, packages, ...options }:
    & Pick<BillOptions, "name" | "version" | "commit" | "target">
    & { root: string; executable: string; packages: readonly string[] },
): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const bundled = await Promise.all(packages.map(async (found) => {
    // node_modules may be a link to somewhere else; the lock file has it within the project.
    const folder = found.slice(found.indexOf("node_modules/"));
    const integrity = String(lock.packages[folder]?.integrity);
    return { folder, manifest: await readManifest(join(root, found)), integrity };
  }));
  const sha256 = createHash("sha256").update(await readFile(executable)).digest("hex");
  const bill = billOf({ ...options, sha256, packages: bundled, nodeParts: process.versions });
  await writeFile(file, `${JSON.stringify(bill, null, 2)}\n`);
}

/** @throws when the licence of a package does not allow it to be in there */
export function billOf(options: BillOptions) {
  const { name, version, commit, target, sha256, packages } = options;
  const own = `pkg:generic/${name}@${version}`;
  const node = purlOf(target.package, nodeVersion);
  const content = {
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": own,
        ...{ name, version, purl: own },
        licenses: [{ license: { id: "MIT" } }],
        hashes: [{ alg: "SHA-256", content: sha256 }],
        properties: [{ name: "commit", value: commit }],
      },
    },
    components: [
      {
        type: "platform",
        "bom-ref": node,
        ...{ name: "node", version: nodeVersion, purl: node },
        cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:*:*:*:*`,
        licenses: [{ license: { id: "MIT" } }],
        hashes: [hashOf(target.integrity)],
        components: partsOf(options.nodeParts),
      },
      ...packages.map(componentOf),
    ],
    dependencies: [
      { ref: own, dependsOn: [node, ...packages.map(refOf)] },
      ...packages.map((each) => ({ ref: refOf(each), dependsOn: dependenciesOf(each, packages) })),
    ],
  };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    ...content,
  };
}

/** `pkg:npm/NAME@VERSION`, the `@` of a scope escaped. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The same package may be in there twice, once in another's folder. */
function refOf({ folder, manifest }: BundledPackage): string {
  const purl = purlOf(manifest.name, manifest.version);
  return folder.split("node_modules/").length > 2 ? `${purl}#${folder}` : purl;
}

function componentOf(each: BundledPackage) {
  const { name, version, license } = each.manifest;
  if (license === undefined || !ALLOWED_LICENSES.includes(license)) {
    throw new Error(
      `${name} ${version} is bundled under ${license}: allowed are ${ALLOWED_LICENSES.join(", ")}`,
    );
  }
  return {
    type: "library",
    "bom-ref": refOf(each),
    ...{ name, version, purl: purlOf(name, version) },
    licenses: [{ license: { id: license } }],
    hashes: [hashOf(each.integrity)],
  };
}

/** As npm looks for them: in the package's own folder first, then in those around it. */
function dependenciesOf(
  { folder, manifest }: BundledPackage,
  packages: readonly BundledPackage[],
): string[] {
  return Object.keys(manifest.dependencies ?? {}).sort().flatMap((name) => {
    for (let at = folder;; at = dirname(at)) {
      const wanted = at === "." ? `node_modules/${name}` : `${at}/node_modules/${name}`;
      const found = packages.find((other) => other.folder === wanted);
      if (found !== undefined) return [refOf(found)];
      if (at === ".") return [];
    }
  });
}

function partsOf(versions: BillOptions["nodeParts"]) {
  return Object.entries(versions)
    .filter((part): part is [string, string] => !NO_PARTS.has(part[0]) && Boolean(part[1]))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, version]) => {
      const purl = `pkg:generic/${name}@${encodeURIComponent(version)}`;
      return { type: "library", "bom-ref": purl, name, version, purl };
    });
}

function hashOf(integrity: string) {
  const [, base64] = /^sha512-([\w+/]{86}==)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`${integrity} is no integrity of a package`);
  return { alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") };
}

/** A UUID of version 8, by what it names. */
function uuidOf(text: string): string {
  const digits = [...createHash("sha256").update(text).digest("hex").slice(0, 32)];
  digits[12] = "8";
  digits[16] = "89ab"[Number.parseInt(digits[16]!, 16) % 4]!;
  return digits.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
