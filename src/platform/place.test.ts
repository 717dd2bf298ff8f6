import { test } from "node:test";
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fillName, findPlace, type Place, placesIn } from "./place.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the metadata of `handler` while `use` runs, and tells which paths were asked for. */
async function withMetadata<T>(
  handler: Handler,
  use: (base: string, asked: string[]) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function find(
  env: Record<string, string>,
  { timeoutMs = 60_000, wanted }: { timeoutMs?: number; wanted?: (keyof Place)[] } = {},
): Promise<Place> {
  return findPlace({ env, fetch, timeoutMs, ...(wanted === undefined ? {} : { wanted }) });
}

const NO_INSTANCE = { AWS_EC2_METADATA_DISABLED: "true" };

const instance: Handler = (request, response) => {
  if (request.url === "/latest/api/token" && request.method === "PUT") {
    const hasLife = request.headers["x-aws-ec2-metadata-token-ttl-seconds"] !== undefined;
    response.statusCode = hasLife ? 200 : 400;
    return response.end(hasLife ? "secret" : "");
  }
  if (request.headers["x-aws-ec2-metadata-token"] !== "secret") {
    response.statusCode = 401;
    return response.end();
  }
  const texts: Record<string, string> = {
    "/latest/meta-data/placement/region": "us-west-2",
    "/latest/meta-data/placement/availability-zone": "us-west-2-lax-1a",
  };
  response.end(texts[request.url ?? ""]);
};

const task: Handler = (_request, response) =>
  void response.end(JSON.stringify({
    TaskARN: "arn:aws:ecs:eu-central-1:123456789012:task/cluster/abc",
    AvailabilityZone: "eu-central-1b",
  }));

test("the environment's region comes first, and nobody is asked when it is enough", async () => {
  await withMetadata(task, async (base, asked) => {
    const env = { AWS_REGION: "sa-east-1", ECS_CONTAINER_METADATA_URI_V4: base, ...NO_INSTANCE };
    assert.deepEqual(await find(env, { wanted: ["region"] }), { region: "sa-east-1", zone: "any" });
    assert.deepEqual(asked, []);
    assert.deepEqual(await find(env), { region: "sa-east-1", zone: "eu-central-1b" });
  });
});

test("AWS_DEFAULT_REGION stands in for AWS_REGION", async () => {
  const env = { AWS_REGION: "", AWS_DEFAULT_REGION: "ap-east-1", ...NO_INSTANCE };
  assert.equal((await find(env)).region, "ap-east-1");
});

test("a task of ECS knows its region from its ARN, and its zone", async () => {
  await withMetadata(task, async (base, asked) => {
    const env = { ECS_CONTAINER_METADATA_URI_V4: `${base}/v4/id` };
    assert.deepEqual(await find(env), { region: "eu-central-1", zone: "eu-central-1b" });
    assert.deepEqual(asked, ["GET /v4/id/task"]);
  });
});

test("an instance of EC2 is asked with a token", async () => {
  await withMetadata(instance, async (base) => {
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: `${base}/` };
    assert.deepEqual(await find(env), { region: "us-west-2", zone: "us-west-2-lax-1a" });
  });
});

test("what ECS leaves open, the instance fills", async () => {
  await withMetadata(
    (_request, response) => void response.end("{}"),
    (ecs) =>
      withMetadata(instance, async (imds) => {
        const env = { ECS_CONTAINER_METADATA_URI_V4: ecs, AWS_EC2_METADATA_SERVICE_ENDPOINT: imds };
        assert.deepEqual(await find(env), { region: "us-west-2", zone: "us-west-2-lax-1a" });
      }),
  );
});

test("a silent service costs no more than the time given, and leaves the other its share", async () => {
  await withMetadata(() => {}, async (silent) => {
    const both = {
      ECS_CONTAINER_METADATA_URI_V4: silent,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: silent,
    };
    assert.deepEqual(await find(both, { timeoutMs: 50 }), { region: "any", zone: "any" });
    // A stand-in for fetch: the instance answers, however short the time.
    const place = await findPlace({
      env: both,
      timeoutMs: 50,
      fetch: (url, init) =>
        url.endsWith("/task")
          ? new Promise((_resolve, reject) =>
            init.signal.addEventListener("abort", () => reject(init.signal.reason))
          )
          : Promise.resolve({ ok: true, text: () => Promise.resolve("us-west-2") }),
    });
    assert.equal(place.region, "us-west-2");
  });
});

test("an error, garbage, or the wrong kind of answer counts as unknown", async () => {
  const answers: Handler[] = [
    (_request, response) => void response.writeHead(404).end("us-east-1"),
    (_request, response) => void response.writeHead(302, { location: "/elsewhere" }).end(),
    (_request, response) => void response.end("<html>\n\u001b[2J</html>"),
    (_request, response) => void response.end("x".repeat(100_000)),
    (_request, response) => void response.end('{"TaskARN":5,"AvailabilityZone":["eu-west-1a"]}'),
    (_request, response) => void response.end('{"TaskARN":"a:b:c:../../etc:e"}'),
    (_request, response) => void response.end("null"),
    (_request, response) => void response.destroy(),
  ];
  for (const answer of answers) {
    await withMetadata(answer, async (base) => {
      const env = {
        ECS_CONTAINER_METADATA_URI_V4: base,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: base,
      };
      assert.deepEqual(await find(env), { region: "any", zone: "any" });
    });
  }
});

test("an address that is none counts as unknown", async () => {
  const env = { ECS_CONTAINER_METADATA_URI_V4: "not an address", ...NO_INSTANCE };
  assert.deepEqual(await find(env), { region: "any", zone: "any" });
});

test("names are filled in, as often as a placeholder stands there", () => {
  const place = { region: "eu-west-1", zone: "eu-west-1a" };
  assert.equal(fillName("client-%region%-accelerated", place), "client-eu-west-1-accelerated");
  assert.equal(
    fillName("%zone%/%route%/%zone%", { ...place, route: "direct" }),
    "eu-west-1a/direct/eu-west-1a",
  );
  assert.equal(fillName("100%-%other%-%route%", place), "100%-%other%-%route%");
  assert.equal(fillName("%route%", { route: "$&%region%", region: "x" }), "$&%region%");
});

test("a name tells which parts of the place it needs", () => {
  assert.deepEqual(placesIn("client"), []);
  assert.deepEqual(placesIn("client-%region%"), ["region"]);
  assert.deepEqual(placesIn("%zone%-%region%"), ["region", "zone"]);
});
