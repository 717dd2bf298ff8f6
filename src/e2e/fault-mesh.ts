/**
 * A mesh to break: a server and two clients, one of them through a proxy; and what must hold of its
 * figures whatever was broken. All run on one machine whose monotonic clock all of them share, so
 * the bare difference of their clocks is the true delay.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import {
  documentOf,
  isConnected,
  type LogLine,
  type Running,
  type RunningServer,
  startClient,
  type StartOptions,
  startServer,
} from "./processes.ts";
import { createDelayProxy, type DelayOptions, type DelayProxy } from "./proxy.ts";

/** Messages of each client that show that it is measured (again). */
const MESSAGES = 30;
/** What anchors of clocks on a busy machine are off by, at most. */
const ANCHORS_MS = 1;
/** Stated for every fault: from its end until all are measured again, on any machine. */
export const RECOVERY_MS = 15_000;

export interface FaultRecord {
  id: string;
  from: string;
  hop: number;
  ms: number;
  ms_raw: number;
  error_ms: number | null;
  elapsed_ms?: number | null;
  path_ms?: number;
}

export interface MeshOptions {
  server?: StartOptions;
  serverArgs?: readonly string[];
  one?: StartOptions;
  /** Of both clients. */
  clientArgs?: readonly string[];
  /** Of the proxy, each way. */
  way?: DelayOptions;
}

export interface FaultMesh {
  readonly server: RunningServer;
  /** One's way to the server. */
  readonly way: DelayProxy;
  readonly one: Running;
  readonly two: Running;
  readonly folder: string;
  /** Resolves once both clients' messages have been measured further, from now on. */
  measuresAll(): Promise<void>;
  /** The same of two's alone. */
  measuresTwo(): Promise<void>;
  /** Causes a fault; resolves once all are measured again, with the milliseconds that it took. */
  survives(cause: () => unknown, how?: { reconnects: boolean }): Promise<number>;
  /** Ends the run and checks all that must hold; no delay may exceed `atMostMs`. */
  finish(atMostMs: number): Promise<Outcome>;
}

export interface Outcome {
  one: RunSummary;
  two: RunSummary;
  /** Whose hop ended at the server. */
  atServer: FaultRecord[];
  /** The server's log. */
  log: LogLine[];
}

export const says = (what: RegExp) => ({ message }: LogLine): boolean => what.test(message);

export async function startFaultMesh(
  t: TestContext,
  options: MeshOptions = {},
): Promise<FaultMesh> {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startServer(
    t,
    ["--ndjson", "-", ...options.serverArgs ?? []],
    options.server,
  );
  const delay = options.way ?? { delayUs: 0 };
  const target = { host: "127.0.0.1", port: server.port };
  const way = await createDelayProxy({ target, up: delay, down: delay });
  t.after(way.close);
  const fileOf = (name: string): string => join(folder, `${name}.ndjson`);
  const enter = (name: string, port: number, how: StartOptions = {}) =>
    startClient(t, port, [
      ...["-n", name, "--interval", "10ms", "--warmup", "0", "--size", "100", "--echo", "--json"],
      ...["--ndjson", fileOf(name), ...options.clientArgs ?? []],
    ], how);
  // Two is there from first to last, and hears all that the server has of one.
  const two = await enter("two", server.port);
  const one = await enter("one", way.port, options.one);

  const countOf = (records: FaultRecord[], name: string): number =>
    records.filter(({ from }) => from === name).length;
  const measures = async (names: readonly string[]): Promise<void> => {
    const before = await server.printed<FaultRecord>(() => true);
    const wanted = names.map((name) => [name, countOf(before, name) + MESSAGES] as const);
    await server.printed<FaultRecord>((records) =>
      wanted.every(([name, count]) => countOf(records, name) >= count)
    );
  };
  const measuresAll = () => measures(["one", "two"]);

  return {
    server,
    way,
    one,
    two,
    folder,
    measuresAll,
    measuresTwo: () => measures(["two"]),
    async survives(cause, { reconnects } = { reconnects: true }) {
      await measuresAll();
      const before = one.log().length;
      const startMs = performance.now();
      await cause();
      const endMs = performance.now();
      if (reconnects) await one.logged(isConnected, before);
      await measuresAll();
      const tookMs = performance.now() - endMs;
      assert.ok(tookMs < RECOVERY_MS, `normal after ${tookMs} ms`);
      t.diagnostic(`normal ${Math.round(tookMs)} ms after the fault`);
      return performance.now() - startMs;
    },
    async finish(atMostMs) {
      const ofOne = documentOf(await one.stop());
      const ofTwo = documentOf(await two.stop());
      const { code, stdout, stderr } = await server.stop();
      assert.equal(code, 0, stderr);
      const read = (text: string): FaultRecord[] =>
        text.trimEnd().split("\n").map((line) => JSON.parse(line));
      const atServer = read(stdout);
      const heard = [ofOne, ofTwo].map(({ sinks }, index) => {
        const records = read(readFileSync(fileOf(["one", "two"][index]!), "utf8"));
        assert.equal(sinks[0]!.sent, records.length);
        return records;
      });
      for (const record of [...atServer, ...heard.flat()]) isTrue(record, atMostMs);
      accountsForAll("one", ofOne, atServer);
      accountsForAll("two", ofTwo, atServer);
      // What the server had of one reached two, or is lost on its way down.
      const path = ofTwo.keys.find(({ hops, from }) => hops === 2 && from === "one")!;
      const { lost, up, down, count } = path;
      assert.equal(lost, up + down);
      assert.equal(count + down, distinct(atServer, "one"), "one to two");
      t.diagnostic(tell(ofOne, path));
      return { one: ofOne, two: ofTwo, atServer, log: server.log() };
    },
  };
}

/** Ends the run as `finish` does: nobody's measuring was broken off, and not a message was lost. */
export async function finishWhole(mesh: FaultMesh, tookMs: number): Promise<void> {
  const { one, two } = await mesh.finish(tookMs);
  for (const { routes, keys } of [one, two]) {
    assert.equal(routes![0]!.reconnects, 0);
    assert.ok(keys.every(({ lost }) => lost === 0));
  }
}

/** A record's delay is the true one, within its own bound, and none that the fault could not give. */
function isTrue(record: FaultRecord, atMostMs: number): void {
  const { ms, ms_raw, error_ms, elapsed_ms, path_ms } = record;
  const text = JSON.stringify(record);
  if (error_ms !== null) assert.ok(Math.abs(ms - ms_raw) <= error_ms + ANCHORS_MS, text);
  for (const delay of [ms, ms_raw, elapsed_ms ?? 0, path_ms ?? 0]) {
    assert.ok(delay <= atMostMs + (error_ms ?? 0) + ANCHORS_MS, `over ${atMostMs} ms: ${text}`);
  }
}

/** All that a client sent reached the server, or is lost on the way up, or is unconfirmed. */
function accountsForAll(name: string, document: RunSummary, atServer: FaultRecord[]): void {
  const { sent, unconfirmed } = document.routes![0]!;
  const { up } = document.keys.find(({ hops, echo }) => hops === 2 && echo)!;
  const known = distinct(atServer, name) + up;
  const text = `${name}: sent ${sent}, at the server or lost ${known}, unconfirmed ${unconfirmed}`;
  assert.ok(known <= sent && sent <= known + unconfirmed, text);
}

function distinct(records: readonly FaultRecord[], name: string): number {
  return new Set(records.filter(({ from }) => from === name).map(({ id }) => id)).size;
}

function tell({ routes, keys }: RunSummary, path: RunSummary["keys"][number]): string {
  const { sent, unsent, unconfirmed, reconnects } = routes![0]!;
  const { up, down, duplicates } = keys.find(({ hops, echo }) => hops === 2 && echo)!;
  const echoes = `echoes lost up ${up} down ${down} duplicates ${duplicates}`;
  const counts = `sent ${sent}, unsent ${unsent}, unconfirmed ${unconfirmed}, again ${reconnects}`;
  return `${counts}; ${echoes}; to two: ${path.count}, up ${path.up} down ${path.down}`;
}
