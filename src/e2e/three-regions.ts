/**
 * Three regions for a test, as their users run them: a server and a client in each, on hosts of
 * their own, configured by environment variables alone. Each client has two routes to each server,
 * one direct and one accelerated, of known delays. What all record goes through Firehose to S3.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPythonPrograms } from "../../build/test-python.ts";
import { createHosts, type TestHost } from "./hosts.ts";
import { type Moto, startMoto } from "./moto.ts";
import {
  documentOf,
  type Exit,
  type LogLine,
  type Owner,
  start,
  startCommand,
  startProxies,
} from "./processes.ts";
import type { ProxyOptions } from "./proxy.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AWS = join(findPythonPrograms(ROOT) ?? "", "aws");

export const REGIONS = ["eu-west-1", "us-west-1", "sa-east-1"] as const;
export type Region = typeof REGIONS[number];
const ROUTES = ["direct", "accelerated"] as const;

const ADDRESSES = {
  internet: "10.99.0.1",
  aws: "10.99.0.2",
  "server-eu-west-1": "10.99.1.1",
  "client-eu-west-1": "10.99.1.2",
  "server-us-west-1": "10.99.2.1",
  "client-us-west-1": "10.99.2.2",
  "server-sa-east-1": "10.99.3.1",
  "client-sa-east-1": "10.99.3.2",
};
type Hosts = Record<keyof typeof ADDRESSES, TestHost>;

/** ms */
type Delays = Record<typeof ROUTES[number], readonly [up: number, down: number]>;
/**
 * What the ways take, by client and server: all differ, and so do their differences. Between
 * sa-east-1 and eu-west-1 acceleration helps on the way up, and harms on the way down.
 */
const DELAYS_MS: Readonly<Record<Region, Readonly<Record<Region, Delays>>>> = {
  "eu-west-1": {
    "eu-west-1": { direct: [110, 120], accelerated: [28, 34] },
    "us-west-1": { direct: [200, 235], accelerated: [125, 145] },
    "sa-east-1": { direct: [300, 275], accelerated: [195, 160] },
  },
  "us-west-1": {
    "eu-west-1": { direct: [225, 210], accelerated: [135, 110] },
    "us-west-1": { direct: [125, 105], accelerated: [27, 25] },
    "sa-east-1": { direct: [265, 325], accelerated: [150, 185] },
  },
  "sa-east-1": {
    "eu-west-1": { direct: [290, 245], accelerated: [70, 320] },
    "us-west-1": { direct: [350, 310], accelerated: [197, 185] },
    "sa-east-1": { direct: [150, 130], accelerated: [55, 40] },
  },
};

/** The programs' own. */
const PORT = 8080;
const STREAM = "performance";
const BUCKET = "records";

/** What the accelerated routes take more than the direct ones, ms: less, if below zero. */
export const INJECTED = REGIONS.flatMap((client) =>
  REGIONS.map((server) => {
    const { direct, accelerated } = DELAYS_MS[client][server];
    return {
      client: `client-${client}`,
      server: `server-${server}`,
      up: accelerated[0] - direct[0],
      down: accelerated[1] - direct[1],
    };
  })
);

export interface MeshOptions {
  /** How long each client measures, as its variable has it. */
  duration: string;
  /** Where the objects of the bucket are put in the end. */
  folder: string;
  /** A program and its arguments that starts the client of a region. */
  through?: Partial<Record<Region, readonly string[]>>;
}

/** Runs the mesh to its end. All records must have been sent. */
export async function runThreeRegions(
  t: Owner,
  { duration, folder, through = {} }: MeshOptions,
): Promise<void> {
  const hosts = await createHosts(t, ADDRESSES);
  const moto = await startStore(t, hosts.aws);
  const envOf = (region: Region) => ({ ...moto.env, AWS_REGION: region });

  const servers = await Promise.all(REGIONS.map(async (region) => {
    const env = {
      ...envOf(region),
      SERVER_NAME: "server-%region%",
      SERVER_FIREHOSE: STREAM,
      SERVER_JSON: "true",
    };
    const server = start(t, "server", [], { env, through: hosts[`server-${region}`].through });
    await server.logged(({ message }: LogLine) => message.includes("is listening on"));
    return server;
  }));
  const routes = await Promise.all(REGIONS.map((region) => startRoutes(t, hosts, region)));
  const clients = REGIONS.map((region, index) => {
    const env = {
      ...envOf(region),
      SERVER_NAME: routes[index]!,
      CLIENT_NAME: "client-%region%",
      CLIENT_FIREHOSE: STREAM,
      CLIENT_INTERVAL: "60ms-140ms",
      CLIENT_DURATION: duration,
      CLIENT_JSON: "true",
    };
    const inside = [...hosts[`client-${region}`].through, ...through[region] ?? []];
    return start(t, "client", [], { env, through: inside });
  });
  for (const client of clients) checkRecords(await client.exited);
  for (const server of servers) checkRecords(await server.stop());

  await aws(t, hosts.aws, moto, ["s3", "sync", "--only-show-errors", `s3://${BUCKET}`, folder]);
}

/** An emulator with a bucket, and with a delivery stream in each region that fills it. */
async function startStore(t: Owner, at: TestHost): Promise<Moto> {
  const moto = await startMoto(t, at);
  await aws(t, at, moto, ["s3", "mb", `s3://${BUCKET}`]);
  const destination = `BucketARN=arn:aws:s3:::${BUCKET},` +
    "RoleARN=arn:aws:iam::123456789012:role/delivery";
  await Promise.all(REGIONS.map((region) =>
    aws(t, at, moto, [
      ...["firehose", "create-delivery-stream", "--region", region],
      ...["--delivery-stream-name", STREAM, "--extended-s3-destination-configuration", destination],
    ])
  ));
  return moto;
}

async function aws(t: Owner, at: TestHost, moto: Moto, args: readonly string[]): Promise<void> {
  const { code, stderr } = await startCommand(
    t,
    [...at.through, AWS, ...args, "--output", "text"],
    moto.env,
  ).exited;
  assert.equal(code, 0, `aws ${args.join(" ")}: ${stderr}`);
}

/** Starts the routes of a region's client to all servers; returns them as its variable has them. */
async function startRoutes(t: Owner, hosts: Hosts, client: Region): Promise<string> {
  const { address, through } = hosts.internet;
  const ways = REGIONS.flatMap((server) => ROUTES.map((route) => ({ server, route })));
  const proxies = ways.map(({ server, route }): ProxyOptions => {
    const [up, down] = DELAYS_MS[client][server][route];
    return {
      host: address,
      target: { host: hosts[`server-${server}`].address, port: PORT },
      up: { delayUs: up * 1000 },
      down: { delayUs: down * 1000 },
    };
  });
  const { ports } = await startProxies(t, proxies, through);
  return ways.map(({ server, route }, index) => `${route}-${server}=${address}:${ports[index]}`)
    .join();
}

/** Nothing that a program recorded was lost, and nothing that it should have received. */
function checkRecords(exit: Exit): void {
  const { sinks, keys } = documentOf(exit);
  const [{ sink, accepted, sent }] = sinks as [typeof sinks[number]];
  assert.match(sink, new RegExp(`^firehose .*:${STREAM}$`));
  assert.ok(accepted > 0, "there are records");
  assert.equal(sent, accepted, exit.stderr);
  for (const { key, lost } of keys) assert.equal(lost, 0, key);
}
