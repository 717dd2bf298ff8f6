import { build } from "esbuild";

/** The executables: their names, and the module that each starts with. */
export const programs = [
  { name: "performance-server", entry: "src/server/main.ts" },
  { name: "performance-client", entry: "src/client/main.ts" },
];

/** What a bundle is made from, beside the sources. */
export interface Stamp {
  version: string;
  commit: string;
}

/**
 * Joins a program and all that it imports into one CommonJS file. What the program imports
 * dynamically is in the same file, but runs only once it is asked for.
 *
 * @param root the project's folder
 * @param entry the module to start with, relative to `root`
 * @param outfile the file to write
 * @returns the files that contributed code, relative to `root`
 * @throws on any error or warning of the bundler
 */
export async function bundle(root: string, entry: string, outfile: string, stamp: Stamp) {
  const { metafile, warnings } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // An embedded script with a code cache cannot import(); require() it can.
    supported: { "dynamic-import": false },
    // Names and lines stay, for readable stack traces; only dead branches go.
    minifySyntax: true,
    define: {
      __VERSION__: JSON.stringify(stamp.version),
      __COMMIT__: JSON.stringify(stamp.commit),
    },
    metafile: true,
    logLevel: "silent",
  });
  // One of them is that `import.meta` is empty in CommonJS, which nobody should find out later.
  const [warning] = warnings;
  if (warning) {
    throw new Error(`${warning.location?.file}:${warning.location?.line}: ${warning.text}`);
  }
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((file) => inputs[file]!.bytesInOutput > 0)
  );
}
