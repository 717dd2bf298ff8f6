/** Copies of the project's deployment for tests, which an emulator can carry out. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPythonPrograms } from "../../build/test-python.ts";
import type { Moto } from "./moto.ts";
import type { Owner } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const TEMPLATES = join(ROOT, "docker/fargate");
/** The seven regions that the original was run in, the home region first. */
export const REGIONS = [
  "eu-west-1",
  "af-south-1",
  "sa-east-1",
  "ap-east-1",
  "me-south-1",
  "eu-central-1",
  "us-west-1",
];

/** Resources that the emulator cannot have, by template, and why not. */
export const BEYOND_THE_EMULATOR: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "server.yaml": Object.fromEntries(
    ["Listener", "UdpListener"]
      .map((name) => [name, "it takes every load balancer of a template for one of HTTP"]),
  ),
  "network.yaml": Object.fromEntries(
    ["RouteTable", "InternetRoute", "FirstSubnetRoutes", "SecondSubnetRoutes", "S3Endpoint"]
      .map((name) => [name, "it does not delete route tables with their stack"]),
  ),
};

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A copy of scripts and templates in a folder of its own, which goes with the test. */
export async function copyDeployment(t: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "deployment-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "docker"));
  await cp(join(ROOT, "scripts"), join(folder, "scripts"), { recursive: true });
  await cp(TEMPLATES, join(folder, "docker/fargate"), { recursive: true });
  return folder;
}

/**
 * Takes out of the copy's templates what is beyond the emulator.
 *
 * @returns a line for each resource, to be told
 */
export async function fitToEmulator(folder: string): Promise<string[]> {
  const told: string[] = [];
  for (const [file, resources] of Object.entries(BEYOND_THE_EMULATOR)) {
    const path = join(folder, "docker/fargate", file);
    let yaml = await readFile(path, "utf8");
    for (const [name, why] of Object.entries(resources)) {
      yaml = withoutResource(yaml, name);
      told.push(`without ${name} of ${file}: ${why}`);
    }
    await writeFile(path, yaml);
  }
  return told;
}

/** A template without a resource, and without waiting for it. */
function withoutResource(yaml: string, name: string): string {
  const resource = RegExp(`^  ${name}:\\n(?:(?:    .*)?\\n)*`, "m");
  if (!resource.test(yaml)) throw new Error(`there is no resource ${name}`);
  return yaml.replace(resource, "")
    .replaceAll(RegExp(`^(    DependsOn: .*)\\b${name}\\b`, "gm"), "$1")
    .replaceAll(/^ {4}DependsOn: [[, \]]*\n/gm, "")
    .replaceAll(/^( {4}DependsOn: )\[[, ]*(\w+)[, ]*\]$/gm, "$1$2");
}

/** Runs a program to its end, with nothing to read. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Finished> {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (piece: string) => output[stream] += piece);
  }
  // A program that ends without reading is none of our concern.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, ...output };
}

/** The environment in which scripts find the AWS CLI, and that the emulator. */
export function emulatorEnv(moto: Moto): Record<string, string> {
  const programs = findPythonPrograms(ROOT)!;
  return { ...moto.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
}

/** Asks the emulator by the AWS CLI. */
export async function askAws(moto: Moto, region: string, ...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram(
    join(findPythonPrograms(ROOT)!, "aws"),
    [...args, "--region", region, "--output", "json"],
    emulatorEnv(moto),
  );
  if (code !== 0) throw new Error(`aws ${args.join(" ")}: ${stderr}`);
  return stdout.trim() === "" ? undefined : JSON.parse(stdout);
}

/** Names of the templates, in order. */
export async function templateNames(): Promise<string[]> {
  return (await readdir(TEMPLATES)).filter((file) => file.endsWith(".yaml")).sort();
}
