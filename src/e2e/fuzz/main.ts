// Fuzzes what takes bytes from outside: see scripts/fuzz.sh.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, parseArgs } from "node:util";
import { corpusFile, corpusOf, readCorpus } from "./corpus.ts";
import { createCoverage } from "./coverage.ts";
import { fuzz } from "./fuzzer.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const findings = join(root, ".cache", "fuzz");
const DEFAULT_SECONDS = 60;
/** For one input, however busy the machine is. */
const MOST_MS = 250;
/** Larger inputs are not kept: the corpus is part of the sources. */
const MOST_KEPT_BYTES = 1500;

function fail(problem: string): never {
  console.error(`fuzz: ${problem}; see -h`);
  process.exit(2);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      replay: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const isTime = /^\d+(\.\d+)?$/.test(positionals[0] ?? "");
  const seconds = isTime ? Number(positionals[0]) : DEFAULT_SECONDS;
  const [name, ...rest] = isTime ? positionals.slice(1) : positionals;
  const chosen = targets.filter((target) => name === undefined || target.name === name);
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  if (rest.length > 0 || !Number.isSafeInteger(seed)) fail("wrong arguments");
  if (chosen.length === 0) {
    fail(`no target ${name}: there are ${targets.map((target) => target.name).join(", ")}`);
  }
  if (values.replay !== undefined && name === undefined) fail("--replay needs a target");
  return { seconds, chosen, seed, replay: values.replay, keep: values.keep };
}

/** Writes what caused it to a file, and tells how to cause it again. */
function tellFinding({ name }: Target, input: Uint8Array, error: unknown): void {
  mkdirSync(findings, { recursive: true });
  const hash = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const file = join(findings, `${name}-${hash}`);
  writeFileSync(file, input);
  console.log(`\nFOUND in ${name}: ${inspect(error)}`);
  console.log(`again: scripts/fuzz.sh --replay ${relative(process.cwd(), file)} ${name}\n`);
}

async function main(): Promise<void> {
  const { seconds, chosen, seed, replay, keep } = readArguments();
  if (replay !== undefined) {
    console.log(await chosen[0]!.run(readFileSync(replay)) ? "taken" : "refused");
    return;
  }
  console.log(`seed ${seed}, ${seconds} s for ${chosen.length} targets`);
  const coverage = createCoverage();
  let found = 0;
  for (const target of chosen) {
    coverage.forget();
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000 / chosen.length;
    const goOn = () => performance.now() < endMs;
    const corpus = corpusOf(target);
    const result = await fuzz(target, { corpus, seed, goOn, coverage, mostMs: MOST_MS });
    const perSecond = result.executions / (performance.now() - startMs) * 1000;
    console.log(
      `${target.name.padEnd(16)}${String(result.executions).padStart(9)} executions` +
        `${perSecond.toFixed(0).padStart(8)}/s` +
        `${(100 * result.taken / result.executions).toFixed(0).padStart(5)} % taken` +
        `${String(coverage.size).padStart(6)} blocks` +
        `${String(corpus.length).padStart(5)} + ${result.kept.length} inputs`,
    );
    if (result.finding) {
      found++;
      tellFinding(target, result.finding.input, result.finding.error);
    }
    if (keep && result.kept.length > 0) {
      const small = result.kept.filter(({ byteLength }) => byteLength <= MOST_KEPT_BYTES);
      const all = [...readCorpus(target.name), ...small];
      const lines = all.map((input) => `${Buffer.from(input).toString("hex")}\n`);
      writeFileSync(corpusFile(target.name), lines.join(""));
    }
  }
  console.log(`${found} findings`);
  if (found > 0) process.exitCode = 1;
}

await main();
