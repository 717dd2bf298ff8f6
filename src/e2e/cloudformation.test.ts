// The templates: by a linter of CloudFormation, and as an emulator of AWS carries them out.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findPythonPrograms } from "../../build/test-python.ts";
import {
  askAws,
  copyDeployment,
  fitToEmulator,
  REGIONS,
  runProgram,
  templateNames,
  TEMPLATES,
} from "./deployment.ts";
import { type Moto, skipWithoutMoto, startMoto } from "./moto.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const options = { skip: skipWithoutMoto };
const REGION = "eu-west-1";

/** QuickSight is not in all regions: the dashboard belongs to a home region that has it. */
const WITHOUT_QUICKSIGHT = ["ap-east-1", "me-south-1", "us-west-1"];

test("the linter finds nothing in any template, for all seven regions", options, async () => {
  const linter = join(findPythonPrograms(ROOT)!, "cfn-lint");
  for (
    const [files, regions] of [
      [(await templateNames()).filter((name) => name !== "dashboard.yaml"), REGIONS],
      [["dashboard.yaml"], REGIONS.filter((region) => !WITHOUT_QUICKSIGHT.includes(region))],
    ] as const
  ) {
    const paths = files.map((file) => join(TEMPLATES, file));
    const args = ["--template", ...paths, "--regions", ...regions];
    assert.deepEqual(await runProgram(linter, args), { code: 0, stdout: "", stderr: "" });
  }
});

/** Creates a stack, named as its template unless told, and waits. Returns what it puts out. */
async function createStack(
  moto: Moto,
  folder: string,
  name: string,
  parameters: Record<string, string>,
  stackName = name,
): Promise<Record<string, string>> {
  const given = Object.entries(parameters).map(([key, value]) =>
    `ParameterKey=${key},ParameterValue="${value}"`
  );
  const body = `file://${join(folder, "docker/fargate", `${name}.yaml`)}`;
  await askAws(
    moto,
    REGION,
    ...["cloudformation", "create-stack", "--stack-name", stackName, "--template-body", body],
    ...["--capabilities", "CAPABILITY_IAM", "--parameters", ...given],
  );
  const { Stacks: [stack] } = await askAws(
    moto,
    REGION,
    ...["cloudformation", "describe-stacks", "--stack-name", stackName],
  ) as { Stacks: [{ Outputs?: { OutputKey: string; OutputValue: string }[] }] };
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
}

interface Rule {
  IpProtocol: string;
  FromPort?: number;
  ToPort?: number;
  IpRanges: { CidrIp: string }[];
  UserIdGroupPairs: { GroupId: string }[];
}

interface Group {
  GroupId: string;
  IpPermissions: Rule[];
}

interface TargetGroup {
  Protocol: string;
  Port: number;
  HealthCheckProtocol: string;
  HealthCheckPort: string;
}

interface Container {
  image: string;
  user: string;
  readonlyRootFilesystem: boolean;
  linuxParameters: { capabilities: { drop: string[] } };
  environment: { name: string; value: string | number }[];
  portMappings: { containerPort: number; protocol: string }[];
  healthCheck?: { command: string[] };
  stopTimeout: number;
}

test("the emulator carries the templates out, as far as it knows them", options, async (t) => {
  const moto = await startMoto(t);
  const folder = await copyDeployment(t);
  for (const line of await fitToEmulator(folder)) t.diagnostic(line);
  const ask = <T>(...args: string[]) => askAws(moto, REGION, ...args) as Promise<T>;

  await createStack(moto, folder, "ecr", { HomeRegion: REGION, ReplicaRegions: "sa-east-1" });
  const network = await createStack(moto, folder, "network", {
    FirstZone: `${REGION}a`,
    SecondZone: `${REGION}b`,
  });
  const records = await createStack(moto, folder, "analytics", {});
  const server = await createStack(moto, folder, "server", {
    NetworkStack: "network",
    ImageTag: "1.0.0",
    Stream: "records",
  });
  await createStack(moto, folder, "clients", {
    NetworkStack: "network",
    ImageTag: "1.0.0",
    Stream: "records",
    Servers: `direct=${server.DirectEndpoint},accelerated=fast.example`,
  });

  /** The one container of a stack's tasks, and its environment. */
  const containerOf = async (stack: string) => {
    const { taskDefinition: { containerDefinitions: [container] } } = await ask<
      { taskDefinition: { containerDefinitions: [Container] } }
    >("ecs", "describe-task-definition", "--task-definition", stack);
    const environment = Object.fromEntries(
      container.environment.map(({ name, value }) => [name, String(value)]),
    );
    return { container, environment };
  };

  await t.test("images cannot be replaced under their tags", async () => {
    const { repositories } = await ask<
      { repositories: { repositoryName: string; imageTagMutability: string }[] }
    >("ecr", "describe-repositories");
    assert.deepEqual(
      repositories.map(({ repositoryName, imageTagMutability }) =>
        `${repositoryName} ${imageTagMutability}`
      ).sort(),
      ["performance-tester/client IMMUTABLE", "performance-tester/server IMMUTABLE"],
    );
  });

  await t.test("the world reaches the load balancer's two ports, and no other", async () => {
    const { SecurityGroups } = await ask<{ SecurityGroups: Group[] }>(
      ...["ec2", "describe-security-groups", "--filters", `Name=vpc-id,Values=${network.Vpc}`],
    );
    const byId = new Map(SecurityGroups.map((group) => [group.GroupId, group]));
    const rules = (id: string) =>
      byId.get(id)!.IpPermissions.map((
        { IpProtocol, FromPort, ToPort, IpRanges, UserIdGroupPairs },
      ) => [
        IpProtocol,
        FromPort,
        ToPort,
        ...IpRanges.map(({ CidrIp }) => CidrIp),
        ...UserIdGroupPairs.map(({ GroupId }) => GroupId),
      ]);
    const balancer = network.LoadBalancerSecurityGroup!;
    assert.deepEqual(rules(balancer), [
      ["tcp", 8080, 8080, "0.0.0.0/0"],
      ["udp", 8081, 8081, "0.0.0.0/0"],
      // Fragmentation needed: without it, long messages would never arrive.
      ["icmp", 3, 4, "0.0.0.0/0"],
    ]);
    assert.deepEqual(rules(network.ServerSecurityGroup!), [
      ["tcp", 8080, 8080, balancer],
      ["udp", 8081, 8081, balancer],
      ["icmp", 3, 4, balancer],
    ]);
    assert.deepEqual(rules(network.ClientSecurityGroup!), []);
    const open = SecurityGroups.filter(({ IpPermissions }) =>
      IpPermissions.some(({ IpRanges }) => IpRanges.some(({ CidrIp }) => CidrIp === "0.0.0.0/0"))
    );
    assert.deepEqual(open.map(({ GroupId }) => GroupId), [balancer]);
  });

  await t.test("tasks reach what they need of AWS without the internet", async () => {
    const { VpcEndpoints } = await ask<{ VpcEndpoints: { ServiceName: string }[] }>(
      ...["ec2", "describe-vpc-endpoints", "--filters", `Name=vpc-id,Values=${network.Vpc}`],
    );
    assert.deepEqual(
      VpcEndpoints.map(({ ServiceName }) => ServiceName.replace(`com.amazonaws.${REGION}.`, ""))
        .sort(),
      ["ecr.api", "ecr.dkr", "kinesis-firehose", "logs"],
    );
  });

  await t.test("UDP has a port of its own, and its health is asked by TCP", async () => {
    const { TargetGroups } = await ask<{ TargetGroups: TargetGroup[] }>(
      ...["elbv2", "describe-target-groups"],
    );
    assert.deepEqual(
      TargetGroups.map(({ Protocol, Port, HealthCheckProtocol, HealthCheckPort }) => [
        Protocol,
        Port,
        HealthCheckProtocol,
        HealthCheckPort,
      ]).sort(),
      [["TCP", 8080, "TCP", "traffic-port"], ["UDP", 8081, "TCP", "8080"]],
    );
    const { container } = await containerOf("server");
    assert.deepEqual(
      container.portMappings.map(({ containerPort, protocol }) => [containerPort, protocol]),
      [[8080, "tcp"], [8081, "udp"]],
    );
  });

  for (const [stack, program] of [["server", "server"], ["clients", "client"]] as const) {
    await t.test(`the ${program}'s container has no rights, and nothing to write to`, async () => {
      const { container } = await containerOf(stack);
      assert.match(
        container.image,
        RegExp(`^\\d+\\.dkr\\.ecr\\.${REGION}\\..*/${program}:1\\.0\\.0$`),
      );
      assert.equal(container.user, "65532");
      assert.equal(container.readonlyRootFilesystem, true);
      assert.deepEqual(container.linuxParameters.capabilities.drop, ["ALL"]);
      assert.equal(container.stopTimeout, 30);
    });

    await t.test(`the ${program} may write to its stream, and nothing else`, async () => {
      const { StackResourceDetail: { PhysicalResourceId } } = await ask<
        { StackResourceDetail: { PhysicalResourceId: string } }
      >(
        ...["cloudformation", "describe-stack-resource", "--stack-name", stack],
        ...["--logical-resource-id", "TaskRole"],
      );
      const role = ["--role-name", PhysicalResourceId];
      const { PolicyNames } = await ask<{ PolicyNames: string[] }>(
        ...["iam", "list-role-policies", ...role],
      );
      assert.deepEqual(PolicyNames, ["records"]);
      const { PolicyDocument } = await ask<{ PolicyDocument: string }>(
        ...["iam", "get-role-policy", ...role, "--policy-name", "records"],
      );
      // The emulator gives it as Python writes it.
      assert.deepEqual(JSON.parse(PolicyDocument.replaceAll("'", '"')).Statement, [{
        Effect: "Allow",
        Action: "firehose:PutRecordBatch",
        Resource: `arn:aws:firehose:${REGION}:123456789012:deliverystream/records`,
      }]);
    });
  }

  await t.test("the server is configured by its environment alone, and asked for its health", async () => {
    const { container, environment } = await containerOf("server");
    assert.deepEqual(container.healthCheck?.command, ["CMD", "/performance-server", "--health"]);
    assert.deepEqual(environment, {
      SERVER_TRANSPORT: "tcp,udp",
      SERVER_PORT: "8080",
      SERVER_UDP_PORT: "8081",
      SERVER_NAME: "server-%region%",
      SERVER_FILTER: "",
      SERVER_RECORDS: "own",
      SERVER_FIREHOSE: `${REGION}:records`,
    });
  });

  await t.test("clients are configured by their environment alone", async () => {
    const { environment } = await containerOf("clients");
    assert.deepEqual(environment, {
      SERVER_NAME: `direct=${server.DirectEndpoint},accelerated=fast.example`,
      CLIENT_TRANSPORT: "tcp",
      CLIENT_PORT: "8080",
      CLIENT_NAME: "client-%region%",
      CLIENT_FILTER: "",
      CLIENT_INTERVAL: "3500ms-4500ms",
      CLIENT_RECORDS: "own",
      CLIENT_FIREHOSE: `${REGION}:records`,
      CLIENT_CONNECT_TIMEOUT: "0",
    });
  });

  await t.test("clients of UDP connect to its port", async () => {
    await createStack(moto, folder, "clients", {
      NetworkStack: "network",
      ImageTag: "1.0.0",
      Stream: "records",
      Servers: "direct=one.example",
      Transport: "udp",
    }, "udp-clients");
    const { environment } = await containerOf("udp-clients");
    assert.equal(environment.CLIENT_TRANSPORT, "udp");
    assert.equal(environment.CLIENT_PORT, "8081");
  });

  await t.test("records lie encrypted", async () => {
    const { ServerSideEncryptionConfiguration: { Rules } } = await ask<
      { ServerSideEncryptionConfiguration: { Rules: unknown } }
    >("s3api", "get-bucket-encryption", "--bucket", records.BucketName!);
    assert.match(JSON.stringify(Rules), /"SSEAlgorithm":"AES256"/);
  });
});

test("what no emulator keeps stands in the templates", async () => {
  const read = (name: string) => readFile(join(TEMPLATES, `${name}.yaml`), "utf8");
  for (
    const [name, text] of [
      ["ecr", /ScanOnPush: true/],
      ["ecr", /AppliedFor: \[REPLICATION\]\s+ImageTagMutability: IMMUTABLE/],
      // One relay at any time.
      ["server", /MinimumHealthyPercent: 0\s+MaximumPercent: 100\s+DeploymentCircuitBreaker/],
      ["server", /AssignPublicIp: DISABLED/],
      ["server", /CpuArchitecture: !Ref Architecture/],
      ["server", /Key: preserve_client_ip\.enabled, Value: "true"/],
      ["server", /Key: load_balancing\.cross_zone\.enabled, Value: "true"/],
      ["server", /HealthCheckProtocol: TCP/],
      ["server", /Key: deregistration_delay\.connection_termination\.enabled, Value: "true"/],
      [
        "server",
        /GlobalAccelerator::Listener\s+Condition: IsAccelerated\s+Properties:\s+AcceleratorArn: .*\s+Protocol: UDP/,
      ],
      ["clients", /PublicIp:\s+Type: String\s+Default: ENABLED/],
      // As the table looks for them.
      ["analytics", /Prefix: records\/!\{timestamp:yyyy\/MM\/dd\}\/!\{timestamp:HH\}\/\n/],
    ] as const
  ) assert.match(await read(name), text, name);
});
