// Installs what package-lock.json names, unless node_modules has exactly that already.
// Plain JavaScript, because the Node of a fresh machine may be too old to run TypeScript.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function packagesIn(lockFile) {
  const path = join(root, lockFile);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
}

function isForThisMachine({ os, cpu, libc }) {
  const names = (field, value) => field === undefined || [field].flat().includes(value);
  return names(os, process.platform) && names(cpu, process.arch) && libc === undefined;
}

function isInstalled() {
  const installed = packagesIn("node_modules/.package-lock.json");
  return Object.entries(packagesIn("package-lock.json")).every(([path, wanted]) => {
    if (path === "") return true;
    const found = existsSync(join(root, path)) ? installed[path] : undefined;
    // npm leaves out the optional packages of other platforms.
    if (found === undefined) return wanted.optional === true && !isForThisMachine(wanted);
    return found.version === wanted.version;
  });
}

if (!isInstalled()) {
  // npm must not run on the Node in node_modules, which it is about to replace.
  const path = (process.env.PATH ?? "").split(delimiter)
    .filter((folder) => !folder.endsWith(join("node_modules", ".bin")));
  const { status, error } = spawnSync("npm", ["ci"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  if (error) console.error(`npm ci: ${error.message}`);
  process.exitCode = status ?? 1;
}
