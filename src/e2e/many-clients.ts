/**
 * A load test outside the test command: a thousand sessions on one server, few of them senders.
 *
 *     node src/e2e/many-clients.ts [CLIENTS [SECONDS]]
 *
 * Prints the server's memory while all are idle and while the senders send, and what was received,
 * as JSON. Exit code 1 where the server broke its budget, lost a message or refused unclearly.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ClientSession,
  createClientSession,
  type SessionEnd,
  type SessionObserver,
  type SessionState,
} from "../client/session.ts";
import { createClock } from "../platform/clock.ts";
import { createTicker } from "../platform/ticker.ts";
import { MAX_PAYLOAD_BYTES } from "../relay/frame.ts";
import { PROCESS_ID_BYTES, SESSION_ID_BYTES } from "../relay/hello.ts";
import { createProcessPairs } from "../relay/process-pairs.ts";
import { connectTcp } from "../transport/tcp.ts";
import { documentOf, startServer } from "./processes.ts";

const clients = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 10);
const SENDERS = 3;
const SEND_EVERY_MS = 50;
const PAYLOAD_BYTES = 128;
const SURPLUS = 10;
/** DESIGN.md's budget for idle clients. */
const MAX_IDLE_MB = 200;

const clock = createClock();
let messages = 0;

/** Resolves with the session once it is welcome, or with how it ended before that. */
function join(port: number, name: string): Promise<ClientSession | SessionEnd> {
  const outcome = Promise.withResolvers<ClientSession | SessionEnd>();
  const observer: SessionObserver = {
    welcomed: outcome.resolve,
    opened() {},
    originJoined() {},
    originLeft() {},
    messages: (_session, _origin, { count }) => void (messages += count),
    rtt() {},
    clock() {},
    drained() {},
    ended(_session, end) {
      ticker?.stop();
      outcome.resolve(end);
    },
  };
  let ticker: ReturnType<typeof createTicker> | undefined;
  const to = { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 10_000 } as const;
  connectTcp(to, new AbortController().signal, (link) => {
    const session = createClientSession(link, {
      hello: {
        probe: false,
        echo: false,
        // As if each were a process of its own: the server estimates each one's clock.
        processId: randomBytes(PROCESS_ID_BYTES),
        previousSession: new Uint8Array(SESSION_ID_BYTES),
        maxPayloadBytes: MAX_PAYLOAD_BYTES,
        flow: 0,
        mode: "paced",
        name,
        route: "direct",
        prefix: "",
      },
      pairs: createProcessPairs("auto"),
      nowUs: clock.nowUs,
      random: Math.random,
      hostClock: () => ({ boundUs: NaN, wallShiftUs: 0, anchorErrorUs: clock.anchorErrorUs }),
      maxBacklogBytes: 8 * 1024 * 1024,
      payload: new Uint8Array(PAYLOAD_BYTES),
      wake: (_session, atUs) => ticker?.wake(atUs),
      observer,
    });
    ticker = createTicker(clock.nowUs, session.tick);
    ticker.wake(clock.nowUs());
    return session.events;
  }).catch(outcome.reject);
  return outcome.promise;
}

const isOpen = (outcome: ClientSession | SessionEnd): outcome is ClientSession =>
  "hello" in outcome;

async function untilAll(sessions: readonly ClientSession[], state: SessionState): Promise<void> {
  while (!sessions.every((session) => session.state === state)) await sleep(10);
}

function memoryMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
const server = await startServer(owner, ["--max-clients", String(clients), "--json"]);
const freshMb = memoryMb(server.pid);

const sessions: ClientSession[] = [];
const joinStartMs = performance.now();
for (let at = 0; at < clients; at += 50) {
  const batch = Array.from(
    { length: Math.min(50, clients - at) },
    (_, index) => join(server.port, `client-${at + index}`),
  );
  sessions.push(...(await Promise.all(batch)).filter(isOpen));
}
const welcomeSeconds = (performance.now() - joinStartMs) / 1000;
await untilAll(sessions, "open");
const openSeconds = (performance.now() - joinStartMs) / 1000;
await sleep(seconds * 1000);
const idleMb = memoryMb(server.pid);

const surplus = await Promise.all(
  Array.from({ length: SURPLUS }, (_, index) => join(server.port, `surplus-${index}`)),
);
const refusals = surplus.map((each) => isOpen(each) || !each.refused ? "none" : each.reason);

let sent = 0;
const sendUntilMs = performance.now() + seconds * 1000;
while (performance.now() < sendUntilMs) {
  for (const session of sessions.slice(0, SENDERS)) {
    if (session.send(clock.nowUs(), PAYLOAD_BYTES, false)) sent++;
  }
  await sleep(SEND_EVERY_MS);
}
const busyMb = memoryMb(server.pid);
const expected = sent * (sessions.length - 1);
for (let waitedMs = 0; messages < expected && waitedMs < 10_000; waitedMs += 10) await sleep(10);

for (const session of sessions) session.leave();
await untilAll(sessions, "closed");
const { residence_ms, fanout_ms, received } = documentOf(await server.stop());
for (const cleanup of cleanups) await cleanup();

const result = {
  clients: sessions.length,
  welcome_seconds: welcomeSeconds,
  open_seconds: openSeconds,
  memory_mb: { fresh: freshMb, idle: idleMb, busy: busyMb },
  refusals: [...new Set(refusals)],
  sent,
  received_by_server: received,
  delivered: messages,
  expected,
  residence_ms,
  fanout_ms,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
const isGood = sessions.length === clients && received === sent && messages === expected &&
  idleMb <= MAX_IDLE_MB && refusals.every((reason) => reason.includes("full"));
process.exit(isGood ? 0 : 1);
