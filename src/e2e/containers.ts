/**
 * The container images for a test: built by the project's scripts from its Dockerfiles, on
 * stand-ins for what these start from, in a storage of its own; read, and run.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Owner, type Program, type Running, startCommand } from "./processes.ts";

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VERSION: string = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;

export type Architecture = "amd64" | "arm64";
export const ARCHITECTURES: readonly Architecture[] = ["amd64", "arm64"];
export const HOST_ARCHITECTURE: Architecture = process.arch === "x64" ? "amd64" : "arm64";
export const FOREIGN_ARCHITECTURE: Architecture = process.arch === "x64" ? "arm64" : "amd64";

/** What images are run with here. */
export interface ContainerTools {
  /** A chroot has neither capabilities nor a writable root either, but no namespaces. */
  runner: "podman" | "chroot";
  /** Runs programs of the other architecture, where it is here. */
  emulator?: string;
}

/** An image as a registry would hold it. */
export interface Image {
  config: {
    User: string;
    Entrypoint: string[];
    StopSignal: string;
    ExposedPorts?: Record<string, unknown>;
    Labels: Record<string, string>;
  };
  layers: Layer[];
}

export interface Layer {
  compressedBytes: number;
  entries: { mode: string; owner: string; path: string }[];
}

export interface Images {
  read(program: Program, architecture: Architecture): Promise<Image>;
  /** The health check of the server's image, as its configuration has it. */
  healthCheck(): Promise<{ Test: string[] } & Record<string, number>>;
  /** Runs a program in its image, without privileges, configured by `env` alone. */
  start(t: Owner, program: Program, env: Record<string, string>, args?: string[]): Running;
  /** The process id, on this machine, of what was started last. */
  processOf(running: Running): Promise<number>;
  /** Runs a program of the other architecture's image by the emulator. */
  emulate(t: Owner, program: Program, args: string[]): Promise<Running>;
  close(): Promise<void>;
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Finds what builds and runs images here; a text says what is missing for that. */
export function findContainerTools(): ContainerTools | string {
  const release = spawnSync("sh", ["-c", ". /etc/os-release && echo $VERSION_CODENAME"]);
  if (String(release.stdout).trim() !== "bookworm") {
    return "the stand-ins for the images' bases are made on Debian 12 alone";
  }
  if (process.getuid?.() !== 0) return "the stand-ins for the images' bases are made by root alone";
  const missing = ["buildah", "mmdebstrap"].filter((program) => !has(program));
  if (missing.length > 0) return `${missing.join(" and ")} not here`;
  const emulator = `qemu-${process.arch === "x64" ? "aarch64" : "x86_64"}-static`;
  return {
    runner: has("podman") && has("runc") ? "podman" : "chroot",
    ...(has(emulator) ? { emulator } : {}),
  };
}

/** Runs in a mount namespace of its own: a read-only chroot, as the images' user. */
const CHROOT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ' +
  'exec chroot --userspec=65532:65532 "$0" "$@"';

/**
 * Builds the images of both programs for both architectures.
 *
 * @throws with what the builds printed
 */
export async function buildImages({ runner, emulator }: ContainerTools): Promise<Images> {
  const work = await mkdtemp(join(tmpdir(), "images-"));
  const env = { ...await writeSettings(work), CONTAINER_TOOL: "buildah" };
  const run = async (program: string, ...args: string[]) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 2 ** 28 };
    return (await execute(program, args, options)).stdout.trim();
  };
  const nameOf = (program: Program) => `performance-${program}:${VERSION}`;

  const close = async () => {
    if (runner === "podman") await run("podman", "rm", "--all", "--force", "--time", "0");
    await run("buildah", "rm", "--all");
    // The storage lies on a mount of its own.
    spawnSync("umount", [join(work, "storage", "overlay")]);
    await rm(work, { recursive: true, force: true });
  };

  const platforms = ARCHITECTURES.map((architecture) => `linux/${architecture}`).join();
  try {
    await run(join(ROOT, "docker/base/build.sh"), platforms);
    await run(join(ROOT, "scripts/build-container.sh"), "--platform", platforms);
    for (const program of ["client", "server"] as const) {
      const layout = `oci:${join(work, "layout")}:${program}`;
      await run("buildah", "manifest", "push", "--all", nameOf(program), layout);
    }
  } catch (error) {
    await close();
    throw error;
  }

  /** Unpacks an image; its files can be changed without changing the image. */
  const mount = async (program: Program, architecture: Architecture) => {
    const platform = ["--platform", `linux/${architecture}`];
    const container = await run("buildah", "from", "--pull-never", ...platform, nameOf(program));
    const folder = await run("buildah", "mount", container);
    // As every runtime does.
    await cp("/etc/hosts", join(folder, "etc", "hosts"));
    return folder;
  };
  const roots = { client: "", server: "" };
  if (runner === "chroot") {
    for (const program of ["client", "server"] as const) {
      roots[program] = await mount(program, HOST_ARCHITECTURE);
    }
  }

  return {
    read: (program, architecture) => readImage(join(work, "layout"), program, architecture),
    async healthCheck() {
      const document = await run("buildah", "inspect", "--type", "image", nameOf("server"));
      return JSON.parse(document).Docker.config.Healthcheck;
    },
    start(t, program, variables, args = []) {
      const command = runner === "podman"
        ? [join(ROOT, "scripts/run-container.sh"), program, ...args]
        : ["setpriv", "--no-new-privs", "unshare", "--mount", "sh", "-c", CHROOT].concat(
          [roots[program], `/performance-${program}`, ...args],
        );
      return startCommand(t, command, { ...env, CONTAINER_TOOL: runner, ...variables });
    },
    async processOf(running) {
      if (runner === "chroot") return running.pid;
      return Number(await run("podman", "ps", "--latest", "--format", "{{.Pid}}"));
    },
    async emulate(t, program, args) {
      const root = await mount(program, FOREIGN_ARCHITECTURE);
      const path = await run("sh", "-c", `command -v ${emulator}`);
      await cp(path, join(root, "emulator"), { dereference: true });
      const command = ["chroot", "--userspec=65532:65532", root, "/emulator"];
      return startCommand(t, [...command, `/performance-${program}`, ...args], {});
    },
    close,
  };
}

/** Keeps all that the tools store in `work`, and asks them for no more than every machine has. */
async function writeSettings(work: string): Promise<Record<string, string>> {
  await mkdir(join(work, "settings"));
  const storage = join(work, "settings", "storage.conf");
  await writeFile(
    storage,
    `[storage]
driver = "overlay"
graphroot = "${join(work, "storage")}"
runroot = "${join(work, "run")}"
`,
  );
  const containers = join(work, "settings", "containers.conf");
  await writeFile(
    containers,
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${join(work, "engine")}"
`,
  );
  return {
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    // Build steps need no privileges that a container itself lacks.
    BUILDAH_ISOLATION: "chroot",
  };
}

interface Index {
  manifests: {
    digest: string;
    platform?: { architecture: string };
    annotations?: Record<string, string>;
  }[];
}

/** Reads an image of a folder in the layout of OCI. */
async function readImage(
  layout: string,
  program: Program,
  architecture: Architecture,
): Promise<Image> {
  const pathOf = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  const parse = async (path: string) => JSON.parse(await readFile(path, "utf8"));
  const { manifests }: Index = await parse(join(layout, "index.json"));
  const list = manifests.find(({ annotations }) =>
    annotations?.["org.opencontainers.image.ref.name"] === program
  );
  const entries: Index = await parse(pathOf(list!.digest));
  const entry = entries.manifests.find(({ platform }) => platform?.architecture === architecture);
  const manifest = await parse(pathOf(entry!.digest));
  const { config } = await parse(pathOf(manifest.config.digest));
  const layers = manifest.layers.map(async ({ size, digest }: { size: number; digest: string }) => {
    const tar = ["--list", "--verbose", "--numeric-owner", "--gzip", "--file", pathOf(digest)];
    const { stdout } = await execute("tar", tar, { maxBuffer: 2 ** 26 });
    return { compressedBytes: size, entries: stdout.trimEnd().split("\n").map(readEntry) };
  });
  return { config, layers: await Promise.all(layers) };
}

/** Reads a line of `tar --list --verbose`. */
function readEntry(line: string): Layer["entries"][number] {
  const [mode, owner, _bytes, _day, _time, ...rest] = line.split(/ +/);
  const [path] = rest.join(" ").split(" -> ");
  return { mode: mode!, owner: owner!, path: path! };
}
