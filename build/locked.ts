/** What package.json and package-lock.json promise: the same packages on every machine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ALLOWED_LICENSES } from "./bundled.ts";
import { spawnCommand } from "./test-command.ts";
import { fail, type Outcome, pass, skip } from "./test-outcome.ts";

const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;
const FIELDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  dev?: boolean;
}

/**
 * What is wrong with the two files, as parsed; nothing is as it should be. Packages that only build
 * and test may have any licence: the build itself looks at what it bundles.
 */
export function lockFaults(
  manifest: Partial<Record<typeof FIELDS[number], Record<string, string>>>,
  lock: { packages: Record<string, LockedPackage> },
): string[] {
  const faults: string[] = [];
  for (const field of FIELDS) {
    for (const [name, range] of Object.entries(manifest[field] ?? {})) {
      const isOwn = range.startsWith("file:src/");
      if (!isOwn && !EXACT.test(range)) faults.push(`${name}: ${range} is no exact version`);
    }
  }
  for (const [path, each] of Object.entries(lock.packages)) {
    // The project, and what is part of it.
    if (path === "" || each.link || path.startsWith("src/")) continue;
    if (!each.integrity?.startsWith("sha512-")) faults.push(`${path}: no sha512 integrity`);
    if (each.resolved !== undefined) faults.push(`${path}: comes from ${each.resolved} alone`);
    const isAllowed = each.dev || ALLOWED_LICENSES.includes(each.license ?? "");
    if (!isAllowed) faults.push(`${path}: licence ${each.license} is not on the list`);
  }
  return faults;
}

/** One check: the two files of the project. */
export async function checkLock(name: string, root: string): Promise<Outcome> {
  const [manifest, lock] = await Promise.all(
    ["package.json", "package-lock.json"].map(async (file) =>
      JSON.parse(await readFile(join(root, file), "utf8"))
    ),
  );
  const faults = lockFaults(manifest, lock);
  return faults.length === 0 ? pass() : fail(name, faults.join("\n"));
}

/** What `npm audit --json` tells. */
export function judgeAudit(name: string, stdout: string): Outcome {
  let report: {
    vulnerabilities?: Record<string, { name: string; severity: string; range: string }>;
  } = {};
  try {
    report = JSON.parse(stdout);
  } catch {
    // Said below.
  }
  const { vulnerabilities } = report;
  if (vulnerabilities === undefined) {
    return skip(name, "the registry of packages tells no advisories here");
  }
  const found = Object.values(vulnerabilities).map(({ name, severity, range }) =>
    `${name} ${range}: ${severity}`
  );
  return found.length === 0 ? pass() : fail(name, found.join("\n"));
}

/** One check: nothing in the lock file has an advisory, as far as the registry answers. */
export async function audit(name: string, root: string): Promise<Outcome> {
  const options = ["--json", "--fetch-retries=0", "--fetch-timeout=20000"];
  const { stdout } = await spawnCommand("npm", ["audit", ...options], root);
  return judgeAudit(name, stdout);
}
