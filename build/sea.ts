import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "./run.ts";

/** Where Node looks for the mark that a script is embedded. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Packs a bundle into the form that Node runs from inside itself.
 *
 * @param folder holds the bundle and the assets, and gets the blob
 * @param files names within `folder`; those of the assets by the assets' names
 * @param nodeFlags flags of Node that it runs with, whatever its user says
 * @param useCodeCache whether to store compiled code: a third less start-up time, but only for
 * the platform that this runs on
 */
export async function makeBlob(
  folder: string,
  files: { bundle: string; assets: Record<string, string>; blob: string },
  nodeFlags: readonly string[],
  useCodeCache: boolean,
) {
  const config = {
    main: files.bundle,
    output: files.blob,
    assets: files.assets,
    useCodeCache,
    disableExperimentalSEAWarning: true,
    // Neither NODE_OPTIONS nor a signal may open a debugger in the executable.
    execArgvExtension: "none",
    execArgv: ["--disable-sigusr1", ...nodeFlags],
  };
  const configFile = `${files.blob}.json`;
  await writeFile(join(folder, configFile), JSON.stringify(config));
  // Without a seed, the compiled code differs from build to build. Relative names, because
  // the blob holds them.
  await run(process.execPath, ["--random-seed=1", "--experimental-sea-config", configFile], folder);
}

/** Puts a blob into a copy of Node, in place. */
export async function inject(root: string, executable: string, blob: string) {
  const postject = join(root, "node_modules/postject/dist/cli.js");
  const args = [basename(executable), "NODE_SEA_BLOB", blob, "--sentinel-fuse", fuse];
  await run(process.execPath, [postject, ...args], dirname(executable));
}
