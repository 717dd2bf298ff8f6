// Deploys the mesh: into an emulator of AWS that is not ours, and with a stand-in for the AWS CLI
// where stacks have to fail.

import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import {
  askAws,
  copyDeployment,
  emulatorEnv,
  type Finished,
  fitToEmulator,
  REGIONS,
  runProgram,
} from "./deployment.ts";
import { type Moto, skipWithoutMoto, startMoto } from "./moto.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/deploy.sh", import.meta.url));
const FAKE = fileURLToPath(new URL("fake-aws", import.meta.url));
const PREFIX = "performance-tester";

interface FakeAws {
  env: Record<string, string>;
  /** What was asked of the AWS CLI so far, in order. */
  calls(): Promise<string[]>;
  /** Sets the status that a stack is at. */
  setStack(region: string, stack: string, status: string): Promise<void>;
  /** Has a stack fail when it is created. */
  fail(stack: string): Promise<void>;
  /** Sets how many rules of replication the registry has. */
  setRules(count: number): Promise<void>;
  /** Refuses calls of a kind, such as `sts get-caller-identity`. */
  deny(verb: string): Promise<void>;
}

async function fakeAws(t: TestContext): Promise<FakeAws> {
  const folder = await mkdtemp(join(tmpdir(), "fake-aws-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "bin"));
  await copyFile(FAKE, join(folder, "bin/aws"));
  await chmod(join(folder, "bin/aws"), 0o755);
  await writeFile(join(folder, "calls"), "");
  await writeFile(join(folder, "rules"), "0\n");
  return {
    env: { FAKE_AWS: folder, PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` },
    async calls() {
      return (await readFile(join(folder, "calls"), "utf8")).trimEnd().split("\n").filter(Boolean);
    },
    async setStack(region, stack, status) {
      const path = join(folder, region, `${PREFIX}-${stack}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${status}\n`);
    },
    fail: (stack) => writeFile(join(folder, "failing"), `${PREFIX}-${stack}\n`),
    setRules: (count) => writeFile(join(folder, "rules"), `${count}\n`),
    deny: (verb) => writeFile(join(folder, "denied"), `${verb}\n`),
  };
}

/** `VERB STACK` of all calls that change stacks. */
function changes(calls: string[]): string[] {
  return calls.flatMap((call) => {
    const verb = /^(?:aws )?cloudformation (create-stack|delete-stack|execute-change-set) /
      .exec(call);
    const stack = /--stack-name performance-tester-(\w+)/.exec(call);
    return verb && stack ? [`${verb[1]} ${stack[1]}`] : [];
  });
}

for (
  const [args, says] of [
    [[], /up, status or down is missing/],
    [["sideways"], /no such argument: sideways/],
    [["up", "--tag", "1"], /--regions is missing/],
    [["up", "--regions", "eu-west-1"], /--tag is missing/],
    [["up", "--regions", "eu-west-1,", "--tag"], /--tag has no value/],
    [["up", "--tag", "1", "--regions", "eu-west-1,eu-west-1"], /eu-west-1 stands there twice/],
    [["up", "--tag", "1", "--regions", "Ireland"], /no region's name: 'Ireland'/],
    [["status", "--regions", "eu-west-1", "--prefix", "Mesh_1"], /--prefix is small letters/],
    [["up", "--regions", "eu-west-1", "--architecture", "arm"], /ARM64 or X86_64: not 'arm'/],
    [["up", "--regions", "eu-west-1", "--transport", "quic"], /tcp or udp: not 'quic'/],
  ] as const
) {
  test(`deploy.sh ${args.join(" ")} is wrong usage`, async (t) => {
    const aws = await fakeAws(t);
    const { code, stderr } = await runProgram(SCRIPT, args, aws.env);
    assert.equal(code, 2);
    assert.match(stderr, says);
    assert.deepEqual(await aws.calls(), []);
  });
}

test("a dry run prints all calls in their order, and calls nothing", async (t) => {
  const aws = await fakeAws(t);
  const args = ["up", "--dry-run", "--tag", "1.0.0", "--accelerated"];
  const { code, stdout, stderr } = await runProgram(
    SCRIPT,
    [...args, "--regions", REGIONS.join(",")],
    aws.env,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(await aws.calls(), []);
  const each = (stack: string) => REGIONS.map(() => `create-stack ${stack}`);
  const stacks = ["ecr", "network", "analytics", "server", "clients"];
  assert.deepEqual(changes(stdout.split("\n")), stacks.flatMap(each));
  // With seven regions, fourteen routes to each client.
  const clients = stdout.split("\n").filter((line) => line.includes("-clients "));
  for (const line of clients) {
    assert.equal(line.match(/(direct|accelerated)-[a-z0-9-]+=/g)?.length, 14, line);
  }

  const down = await runProgram(
    SCRIPT,
    ["down", "--dry-run", "--everything", "--regions", "eu-west-1,sa-east-1"],
    aws.env,
  );
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(await aws.calls(), []);
  assert.deepEqual(
    changes(down.stdout.split("\n")),
    [
      ...["clients", "clients", "server", "server", "network", "network"],
      ...["dashboard", "analytics", "analytics", "ecr", "ecr"],
    ].map((stack) => `delete-stack ${stack}`),
  );
});

test("clients get the direct and the accelerated route to every server", async (t) => {
  const aws = await fakeAws(t);
  const args = ["up", "--tag", "1", "--accelerated", "--regions", "eu-west-1,sa-east-1"];
  const { code, stdout, stderr } = await runProgram(SCRIPT, args, aws.env);
  assert.equal(code, 0, stderr);
  const clients = (await aws.calls()).filter((call) => /create-stack .*-clients /.test(call));
  assert.equal(clients.length, 2);
  for (const call of clients) {
    const plain = call.replaceAll("\\", "");
    assert.ok(
      plain.includes(
        'ParameterKey=Servers,ParameterValue="' +
          "direct-eu-west-1=DirectEndpoint.eu-west-1," +
          "accelerated-eu-west-1=AcceleratedEndpoint.eu-west-1," +
          "direct-sa-east-1=DirectEndpoint.sa-east-1," +
          'accelerated-sa-east-1=AcceleratedEndpoint.sa-east-1"',
      ),
      plain,
    );
  }
  assert.match(stdout, /^sa-east-1 +accelerated +AcceleratedEndpoint\.sa-east-1$/m);
});

test("clients send over what is asked for, TCP where nothing is", async (t) => {
  for (const [options, transport] of [[[], "tcp"], [["--transport", "udp"], "udp"]] as const) {
    const aws = await fakeAws(t);
    const args = ["up", "--tag", "1", "--regions", "eu-west-1", ...options];
    const { code, stderr } = await runProgram(SCRIPT, args, aws.env);
    assert.equal(code, 0, stderr);
    const clients = (await aws.calls()).filter((call) => /create-stack .*-clients /.test(call));
    assert.equal(clients.length, 1);
    const plain = clients[0]!.replaceAll("\\", "");
    assert.ok(plain.includes(`ParameterKey=Transport,ParameterValue="${transport}"`), plain);
  }
});

test("a stack that was never complete is deleted and made anew, and that is told", async (t) => {
  const aws = await fakeAws(t);
  await aws.setStack("eu-west-1", "network", "ROLLBACK_COMPLETE");
  const args = ["up", "--tag", "1", "--regions", "eu-west-1"];
  const { code, stdout, stderr } = await runProgram(SCRIPT, args, aws.env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /performance-tester-network is at ROLLBACK_COMPLETE, so was never complete/);
  const network = changes(await aws.calls()).filter((change) => change.endsWith("network"));
  assert.deepEqual(network, ["delete-stack network", "create-stack network"]);
});

test("a stack that fails ends the deployment with its reason, and a further run goes on", async (t) => {
  const aws = await fakeAws(t);
  await aws.fail("server");
  const args = ["up", "--tag", "1", "--regions", "eu-west-1"];
  const failed = await runProgram(SCRIPT, args, aws.env);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /server is at ROLLBACK_COMPLETE, because of:/);
  assert.match(failed.stderr, /the task could not start/);
  assert.ok(!changes(await aws.calls()).includes("create-stack clients"));

  await aws.fail("nothing");
  const again = await runProgram(SCRIPT, args, aws.env);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /performance-tester-network is unchanged/);
  assert.ok(changes(await aws.calls()).includes("create-stack clients"));
});

test("a stack that needs a hand is left as it is", async (t) => {
  const aws = await fakeAws(t);
  await aws.setStack("eu-west-1", "network", "UPDATE_ROLLBACK_FAILED");
  const args = ["up", "--tag", "1", "--regions", "eu-west-1"];
  const { code, stderr } = await runProgram(SCRIPT, args, aws.env);
  assert.equal(code, 1);
  assert.match(stderr, /performance-tester-network needs a hand first/);
  assert.deepEqual(changes(await aws.calls()), ["create-stack ecr"]);
});

test("replication rules of others stay, also where one region is there and others come", async (t) => {
  const aws = await fakeAws(t);
  await aws.setStack("eu-west-1", "ecr", "CREATE_COMPLETE");
  await aws.setRules(1);
  const args = ["up", "--tag", "1", "--regions", "eu-west-1,sa-east-1"];
  const { code, stderr } = await runProgram(SCRIPT, args, aws.env);
  assert.equal(code, 1);
  assert.match(stderr, /eu-west-1: the registry has replication rules of its own/);
  assert.deepEqual(changes(await aws.calls()), []);
});

for (
  const [verb, region] of [
    ["sts get-caller-identity", "eu-west-1"],
    ["ecr describe-registry", "eu-west-1"],
    ["ecr get-registry-scanning-configuration", "sa-east-1"],
    ["ec2 describe-vpc-endpoint-services", "eu-west-1"],
    ["athena start-query-execution", "eu-west-1"],
  ] as const
) {
  test(`where ${verb} is not allowed, up says so and goes no further`, async (t) => {
    const aws = await fakeAws(t);
    await aws.deny(verb);
    const args = ["up", "--tag", "1", "--regions", "eu-west-1,sa-east-1"];
    const { code, stderr } = await runProgram(SCRIPT, args, aws.env);
    assert.equal(code, 1);
    assert.match(stderr, RegExp(`AccessDenied.*${verb}`));
    const calls = await aws.calls();
    const refused = calls.findIndex((call) => call.startsWith(`${verb} `));
    assert.ok(refused >= 0);
    assert.deepEqual(
      changes(calls.slice(refused).filter((call) => call.includes(`--region ${region} `))),
      [],
    );
  });
}

test("down deletes nothing unless it is told to", async (t) => {
  const aws = await fakeAws(t);
  await aws.setStack("eu-west-1", "server", "CREATE_COMPLETE");
  for (const answer of ["", "n\n"]) {
    const { code, stdout, stderr } = await runProgram(
      SCRIPT,
      ["down", "--regions", "eu-west-1"],
      aws.env,
      answer,
    );
    assert.equal(code, 1);
    assert.match(stdout, /Delete servers, clients and networks of performance-tester in eu-west-1/);
    assert.match(stderr, /nothing is deleted/);
    assert.deepEqual(changes(await aws.calls()), []);
  }
  const yes = await runProgram(SCRIPT, ["down", "--regions", "eu-west-1"], aws.env, "y\n");
  assert.equal(yes.code, 0, yes.stderr);
  assert.deepEqual(changes(await aws.calls()), ["delete-stack server"]);
});

/** Status of each stack, by region and stack; of those that are there. */
async function stacksOf(moto: Moto, regions: string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const region of regions) {
    const { Stacks } = await askAws(moto, region, "cloudformation", "describe-stacks") as {
      Stacks: { StackName: string; StackStatus: string }[];
    };
    for (const { StackName, StackStatus } of Stacks) {
      found[`${region} ${StackName.slice(PREFIX.length + 1)}`] = StackStatus;
    }
  }
  return found;
}

/** Puts images where a push and ECR's copying would. The emulator copies none. */
async function pushImages(moto: Moto, regions: string[], tag: string): Promise<void> {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {},
    layers: [],
  });
  for (const [index, region] of regions.entries()) {
    for (const name of ["server", "client"]) {
      const repository = ["--repository-name", `${PREFIX}/${name}`];
      if (index > 0) await askAws(moto, region, "ecr", "create-repository", ...repository);
      const image = ["--image-tag", tag, "--image-manifest", manifest];
      await askAws(moto, region, "ecr", "put-image", ...repository, ...image);
    }
  }
}

test("the mesh goes up in two regions, up again without a change, and down", {
  skip: skipWithoutMoto,
}, async (t) => {
  const moto = await startMoto(t);
  const folder = await copyDeployment(t);
  for (const line of await fitToEmulator(folder)) t.diagnostic(line);
  const regions = ["eu-west-1", "sa-east-1"];
  const deploy = (command: string, ...options: string[]): Promise<Finished> =>
    runProgram(
      join(folder, "scripts/deploy.sh"),
      [command, "--regions", regions.join(","), ...options],
      emulatorEnv(moto),
    );
  const perRegion = ["ecr", "network", "analytics", "server", "clients"];
  const all = regions.flatMap((region) => perRegion.map((stack) => `${region} ${stack}`));

  await t.test("stops where there are no images, and says where to push them", async () => {
    const { code, stderr } = await deploy("up", "--tag", "1.0.0");
    assert.equal(code, 1);
    assert.match(stderr, /no image server:1\.0\.0: push it to \d+\.dkr\.ecr\.eu-west-1\./);
  });

  await t.test("goes on once they are there, and prints the endpoints", async () => {
    await pushImages(moto, regions, "1.0.0");
    const { code, stdout, stderr } = await deploy("up", "--tag", "1.0.0");
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    for (const region of regions) {
      assert.match(stdout, RegExp(`^${region} +direct +\\S+\\.${region}\\.elb\\.`, "m"));
    }
    const stacks = await stacksOf(moto, regions);
    assert.deepEqual(stacks, Object.fromEntries(all.map((name) => [name, "CREATE_COMPLETE"])));
  });

  await t.test("shows them", async () => {
    const { code, stdout, stderr } = await deploy("status");
    assert.equal(code, 0, stderr);
    for (const name of all) {
      assert.match(stdout, RegExp(`^${name.replace(" ", " +")} +CREATE_COMPLETE`, "m"));
    }
    assert.match(stdout, /^eu-west-1 +server +CREATE_COMPLETE +\d\/1$/m);
  });

  await t.test("changes nothing the second time", async () => {
    const { code, stdout, stderr } = await deploy("up", "--tag", "1.0.0");
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(stdout.match(/is unchanged$/gm)?.length, all.length, stdout);
  });

  await t.test("changes what is to differ, and only that", async () => {
    const { code, stdout, stderr } = await deploy("up", "--tag", "1.0.0", "--interval", "1s-2s");
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(stdout.match(/clients is at UPDATE_COMPLETE$/gm)?.length, 2, stdout);
    assert.equal(stdout.match(/is unchanged$/gm)?.length, all.length - 2, stdout);
  });

  await t.test("keeps records and images when it goes down", async () => {
    const { code, stdout, stderr } = await deploy("down", "--yes");
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const left = Object.keys(await stacksOf(moto, regions));
    assert.deepEqual(left.sort(), all.filter((name) => /ecr|analytics/.test(name)).sort());
  });

  await t.test("deletes them as well when it is told to", async () => {
    // Records, and what the emulator does not do by itself: deleting images with a repository.
    const { Buckets } = await askAws(moto, "eu-west-1", "s3api", "list-buckets") as {
      Buckets: { Name: string }[];
    };
    assert.equal(Buckets.length, 2);
    for (const { Name } of Buckets) {
      await askAws(
        moto,
        "eu-west-1",
        "s3api",
        "put-object",
        "--bucket",
        Name,
        "--key",
        "records/a",
      );
    }
    for (const name of ["server", "client"]) {
      const image = ["--repository-name", `${PREFIX}/${name}`, "--image-ids", "imageTag=1.0.0"];
      await askAws(moto, "eu-west-1", "ecr", "batch-delete-image", ...image);
    }
    const { code, stdout, stderr } = await deploy("down", "--everything", "--yes");
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.deepEqual(await stacksOf(moto, regions), {});
    assert.deepEqual(await askAws(moto, "sa-east-1", "ecr", "describe-repositories"), {
      repositories: [],
    });
    const after = await askAws(moto, "eu-west-1", "s3api", "list-buckets") as { Buckets: [] };
    assert.deepEqual(after.Buckets, []);
  });
});
