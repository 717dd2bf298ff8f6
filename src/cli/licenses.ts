/**
 * Licence texts of everything that an executable contains: Node and each bundled package.
 *
 * The build puts them into the executable as an asset, so they cost nothing until asked for.
 *
 * @returns the texts, or one line that tells where to find them when run from source
 */
export function licenses(): string {
  // A static import would be one more module to load at each start.
  const sea = process.getBuiltinModule?.("node:sea");
  return sea?.isSea?.()
    ? sea.getAsset("licenses", "utf8")
    : "Run from source: the built executables carry the licences of all that they contain.\n";
}
