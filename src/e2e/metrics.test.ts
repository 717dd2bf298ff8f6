import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import {
  isConnected,
  type Running,
  start,
  startClient,
  startCommand,
  startServer,
} from "./processes.ts";

const MONITORING = fileURLToPath(new URL("../../docker/monitoring", import.meta.url));
const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const has = (program: string) => spawnSync(program, ["--version"]).status === 0;
const skipTool = has("promtool") ? false : "promtool is not installed";
const skipPrometheus = has("prometheus") && has("promtool") ? false : "prometheus is not installed";

/** Where a program that was started with `--http` serves. */
async function httpOf(running: Running): Promise<string> {
  const { port } = await running.logged(({ message }) => message.startsWith("serving http://"));
  return `http://127.0.0.1:${port}`;
}

async function startMesh(t: TestContext) {
  const http = ["--http", "0", "--stats", "1"];
  const server = await startServer(t, ["--name", "relay", ...http]);
  const sending = ["--rate", "50", "--warmup", "1"];
  const client = start(t, "client", [
    "-s",
    `direct=127.0.0.1:${server.port},fast=127.0.0.1:${server.port}`,
    "--name",
    "paris",
    ...sending,
    ...http,
  ]);
  await client.logged(isConnected);
  await startClient(t, server.port, ["--name", "tokyo", ...sending]);
  return { server: await httpOf(server), client: await httpOf(client) };
}

/** Asks until the answer is as wanted, or the test's patience ends. */
async function eventually<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    assert.ok(performance.now() < untilMs, `not in time: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function promtool(args: string[], input = ""): void {
  const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
  assert.equal(status, 0, `promtool ${args.join(" ")}\n${stdout}${stderr}`);
  // Its hints about names and texts do not all change the exit code.
  if (args[1] === "metrics") assert.equal(stdout + stderr, "");
}

const textOf = async (url: string, accept = "") => {
  const response = await fetch(url, { headers: { accept } });
  assert.equal(response.status, 200, url);
  return { type: response.headers.get("content-type"), text: await response.text() };
};

test("promtool has nothing to say against the metrics of either program", {
  skip: skipTool,
}, async (t) => {
  const { server, client } = await startMesh(t);
  for (const [who, url] of [["server", server], ["client", client]]) {
    const { text } = await eventually(
      () => textOf(`${url}/metrics`),
      ({ text }) => text.includes("performance_delay_seconds_bucket{"),
    );
    promtool(["check", "metrics"], text);
    assert.match(text, /^performance_messages_total\{from="/m, who);
    for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) {
      // Those of one thing share the beginning of their names in the README.
      const end = `…${name!.slice("performance_records".length)}`;
      assert.ok(README.includes(name!) || README.includes(end), `the README does not tell ${name}`);
    }
  }
});

test("a real Prometheus scrapes server and clients, in OpenMetrics, and answers queries", {
  skip: skipPrometheus,
}, async (t) => {
  const { server, client } = await startMesh(t);
  const prometheus = await startPrometheus(t, { server, client });
  const query = async (expr: string) => {
    const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, data, error } = await response.json() as {
      status: string;
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    assert.equal(status, "success", `${expr}: ${error}`);
    return data.result;
  };
  const up = await eventually(
    () => query('sum by (job) (performance_messages_total{to="relay",echo=""})'),
    (result) => result.some(({ metric }) => metric["job"] === "performance-server"),
  );
  assert.ok(up.every(({ value }) => Number(value[1]) > 0));
  const targets = await eventually(() => query("up == 1"), ({ length }) => length === 2);
  assert.deepEqual(
    targets.map(({ metric }) => metric["job"]).sort(),
    ["performance-client", "performance-server"],
  );
  const [p99] = await eventually(
    () =>
      query(
        'histogram_quantile(0.99, rate(performance_delay_seconds_bucket{from="paris",to="relay"}[20s]))',
      ),
    ([one]) => Number(one?.value[1]) > 0,
  );
  assert.ok(Number(p99!.value[1]) < 10, `${p99!.value[1]} s`);
  const read = await textOf(`${server}/metrics`, "application/openmetrics-text;version=1.0.0");
  assert.match(read.type!, /openmetrics/);
  assert.ok(read.text.endsWith("# EOF\n"));

  // What the dashboard asks for can be answered.
  const { panels } = JSON.parse(await readFile(join(MONITORING, "grafana-dashboard.json"), "utf8"));
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const filled = expr.replaceAll("$__rate_interval", "1m").replace(/\$(from|to|route)/g, ".*");
      const found = await query(filled);
      if (title.startsWith("p95")) assert.notEqual(found.length, 0, title);
    }
  }
});

test("the alerts are well-formed and fire when they should", { skip: skipTool }, () => {
  promtool(["check", "config", join(MONITORING, "prometheus.yaml")]);
  promtool(["check", "rules", join(MONITORING, "rules.yaml")]);
  promtool(["test", "rules", join(MONITORING, "rules.test.yaml")]);
});

async function startPrometheus(
  t: TestContext,
  { server, client }: { server: string; client: string },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
  const target = (url: string) => url.replace("http://", "");
  await writeFile(
    join(folder, "prometheus.yaml"),
    JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [join(MONITORING, "rules.yaml")],
      scrape_configs: [
        { job_name: "performance-server", static_configs: [{ targets: [target(server)] }] },
        { job_name: "performance-client", static_configs: [{ targets: [target(client)] }] },
      ],
    }),
  );
  const running = startCommand(t, [
    "prometheus",
    `--config.file=${join(folder, "prometheus.yaml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:0",
    "--log.format=json",
  ], {});
  t.after(async () => {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const line = await running.logged((line) => line["msg"] === "Listening on");
  await running.logged((line) => String(line["msg"]).startsWith("Server is ready"));
  return `http://${line["address"]}`;
}
