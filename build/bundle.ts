import { join, relative } from "node:path";
import { build, type Plugin } from "esbuild";

/**
 * The executables: their names, the module that each starts with, and the flags of Node that are
 * built into it.
 *
 * The server passes on the buffers that it reads into, and lets go of them soon. With a young
 * generation as large as Node lets it grow, so many of them wait for it to fill that V8 marks the
 * whole heap over and over, for a fourth of a flood's time; a small one is swept in time.
 */
export const programs: readonly { name: string; entry: string; nodeFlags: readonly string[] }[] = [
  {
    name: "performance-server",
    entry: "src/server/main.ts",
    nodeFlags: ["--max-semi-space-size=1"],
  },
  { name: "performance-client", entry: "src/client/main.ts", nodeFlags: [] },
];

const ASSET = "asset";

/** What a bundle is made from, beside the sources. */
export interface Stamp {
  version: string;
  commit: string;
}

/**
 * Packages, and modules relative to the project's folder, that few runs need, by the name of the
 * asset that each becomes: a script of its own in the executables, read once it is asked for. As
 * part of a program it would cost each start, the AWS SDK some 5 ms, the report 1 ms. A module that
 * the program imports as well is there twice: what becomes an asset shares no state with it.
 */
export const assetOf: Readonly<Record<string, string>> = {
  "@aws-sdk/client-firehose": "firehose-sdk",
  "src/report/main.ts": "report",
};

/**
 * Joins a program and all that it imports into one CommonJS file, but for what becomes an asset.
 * What the program imports dynamically is in the same file, but runs only once it is asked for.
 *
 * @param root the project's folder
 * @param entry the module to start with, relative to `root`; or what becomes an asset
 * @param outfile the file to write
 * @returns the files that contributed code, relative to `root`, and which of `assetOf` it reads
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
    plugins: entry in assetOf ? [] : [assetsIn(root)],
    metafile: true,
    logLevel: "silent",
  });
  // One of them is that `import.meta` is empty in CommonJS, which nobody should find out later.
  const [warning] = warnings;
  if (warning) {
    throw new Error(`${warning.location?.file}:${warning.location?.line}: ${warning.text}`);
  }
  const contributed = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((file) => inputs[file]!.bytesInOutput > 0)
  );
  const isAsset = (file: string): boolean => file.startsWith(`${ASSET}:`);
  return {
    files: contributed.filter((file) => !isAsset(file)),
    assets: contributed.filter(isAsset).map((file) => file.slice(ASSET.length + 1)),
  };
}

/** Puts in the place of an asset what reads it from the executable. */
function assetsIn(root: string): Plugin {
  return {
    name: ASSET,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[@.]/ }, ({ path, resolveDir }) => {
        const module = path.startsWith(".") ? relative(root, join(resolveDir, path)) : path;
        return module in assetOf ? { path: module, namespace: ASSET } : undefined;
      });
      onLoad({ filter: /./, namespace: ASSET }, ({ path }) => ({
        contents: `
          const source = require("node:sea").getAsset("${assetOf[path]}", "utf8");
          const parameters = ["module", "require", "exports"];
          const options = { filename: "${assetOf[path]}.cjs" };
          const run = require("node:vm").compileFunction(source, parameters, options);
          run(module, require, exports);
        `,
      }));
    },
  };
}
