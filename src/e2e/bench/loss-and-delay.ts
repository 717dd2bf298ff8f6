/**
 * Our client beside irtt, each over a proxy of its own that delays by 20 to 30 ms each way and loses
 * one datagram in a hundred. The proxies tell what they really did, so each is also compared with
 * the truth: two samples of one distribution differ by chance, a figure and its own truth do not.
 */
import { DatagramKind, PLAIN_HEADER_BYTES } from "../../relay/datagram.ts";
import { dataFrameBytes, HOP_SLOTS, readSequence } from "../../relay/data-frame.ts";
import { FrameType } from "../../relay/frame.ts";
import { quantile } from "../accuracy-runs.ts";
import type { Owner } from "../processes.ts";
import { createUdpProxy, type Passage, type UdpProxy } from "../udp-proxy.ts";
import { runEcho } from "./our-echo.ts";
import { runIrtt, startIrttServer } from "./peers/irtt.ts";

const BYTES = 64;
const WAY = { delayUs: 20_000, jitterUs: 10_000, loss: 0.01 };
const datagramBytes = PLAIN_HEADER_BYTES + dataFrameBytes(HOP_SLOTS, BYTES);

/** Delays in ms, loss in percent. */
export interface PathFigures {
  sent: number;
  rttMedianMs: number;
  upMedianMs: number;
  downMedianMs: number;
  ipdvMeanMs: number;
  lossPercent: number;
}

/** What was told of a path, and what the proxy did. */
export interface PathRun {
  told: PathFigures;
  truth: PathFigures;
  /** Standard deviation of each figure of the truth: how far it is from that of an endless run. */
  sigma: Omit<PathFigures, "sent">;
}

export interface PathOptions {
  seconds: number;
  intervalMs: number;
  /** Of the proxy's delays and losses. */
  seed: number;
}

/** Number of a message in a datagram; undefined where it holds none. */
type NumberOf = (bytes: Buffer) => number | undefined;

const ourNumber: NumberOf = (bytes) => {
  const isData = bytes[0] === DatagramKind.plain &&
    bytes[PLAIN_HEADER_BYTES + 4] === FrameType.data;
  if (!isData) return undefined;
  return readSequence(new DataView(bytes.buffer, bytes.byteOffset), PLAIN_HEADER_BYTES);
};

/** irtt's header: magic 14 a7 5b, flags (1: open, 4: close), token of 8 bytes, number. */
const irttNumber: NumberOf = (bytes) => {
  if (bytes.byteLength !== datagramBytes || bytes.readUIntBE(0, 3) !== 0x14a75b) return undefined;
  return (bytes[3]! & 5) !== 0 ? undefined : bytes.readUInt32LE(12);
};

/** ms that each datagram was held for, by its number; undefined where it was lost. */
function delaysOf(passages: readonly Passage[], numberOf: NumberOf) {
  return new Map(passages.flatMap(({ bytes, arrivedUs, forwardedUs }) => {
    const number = numberOf(bytes);
    if (number === undefined) return [];
    const delayMs = forwardedUs === undefined ? undefined : (forwardedUs - arrivedUs) / 1000;
    return [[number, delayMs] as const];
  }));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the median, by the order statistics one standard deviation to either side. */
function medianSigma(values: readonly number[]): number {
  const away = 0.5 / Math.sqrt(values.length);
  return (quantile(values, 0.5 + away) - quantile(values, 0.5 - away)) / 2;
}

/** Of the mean of values that depend on their neighbours, by the means of blocks. */
function meanSigma(values: readonly number[]): number {
  const blocks = 50;
  const size = Math.floor(values.length / blocks);
  const means = Array.from(
    { length: blocks },
    (_, i) => mean(values.slice(i * size, i * size + size)),
  );
  const center = mean(means);
  return Math.sqrt(mean(means.map((each) => (each - center) ** 2)) / (blocks - 1));
}

function truthOf({ passages }: UdpProxy, numberOf: NumberOf): Pick<PathRun, "truth" | "sigma"> {
  const up = delaysOf(passages.up, numberOf);
  const down = delaysOf(passages.down, numberOf);
  const trips = [...up].sort(([a], [b]) => a - b).map(([number, upMs]) => {
    const downMs = down.get(number);
    return { number, rttMs: upMs === undefined || downMs === undefined ? NaN : upMs + downMs };
  });
  const rttsMs = trips.map(({ rttMs }) => rttMs).filter((ms) => !Number.isNaN(ms));
  const ipdvMs = trips.slice(1).flatMap(({ number, rttMs }, i) => {
    const before = trips[i]!;
    const ms = Math.abs(rttMs - before.rttMs);
    return before.number === number - 1 && !Number.isNaN(ms) ? [ms] : [];
  });
  const known = (delays: Iterable<number | undefined>) =>
    [...delays].filter((ms) => ms !== undefined);
  const [upMs, downMs] = [known(up.values()), known(down.values())];
  const loss = 1 - rttsMs.length / up.size;
  return {
    truth: {
      sent: up.size,
      rttMedianMs: quantile(rttsMs, 0.5),
      upMedianMs: quantile(upMs, 0.5),
      downMedianMs: quantile(downMs, 0.5),
      ipdvMeanMs: mean(ipdvMs),
      lossPercent: 100 * loss,
    },
    sigma: {
      rttMedianMs: medianSigma(rttsMs),
      upMedianMs: medianSigma(upMs),
      downMedianMs: medianSigma(downMs),
      ipdvMeanMs: meanSigma(ipdvMs),
      lossPercent: 100 * Math.sqrt(loss * (1 - loss) / up.size),
    },
  };
}

async function proxyTo(owner: Owner, port: number, seed: number): Promise<UdpProxy> {
  const target = { host: "127.0.0.1", port };
  const proxy = await createUdpProxy({ target, up: WAY, down: WAY, seed });
  owner.after(proxy.close);
  return proxy;
}

export async function runOurs(
  owner: Owner,
  { seconds, intervalMs, seed }: PathOptions,
): Promise<PathRun> {
  let proxy: UdpProxy | undefined;
  const { client, echo } = await runEcho(owner, {
    transport: "udp",
    args: [
      ...["--interval", `${intervalMs}ms`, "--size", `${BYTES}`, "--warmup", "0"],
      ...["--count", `${Math.round(seconds * 1000 / intervalMs)}`],
    ],
    // Both ends have the same clock, which irtt takes as it is, too.
    both: ["--clock", "system"],
    async address(port) {
      proxy = await proxyTo(owner, port, seed);
      return proxy.port;
    },
  });
  const hop = (from: string) =>
    client.keys.find((key) => key.hops === 1 && key.from === from)!.ms!.p50;
  return {
    told: {
      sent: client.sent,
      rttMedianMs: echo.elapsed_ms!.p50,
      upMedianMs: hop("client"),
      downMedianMs: hop("server"),
      ipdvMeanMs: echo.ipdv_ms!.mean,
      lossPercent: 100 * echo.lost / (echo.count + echo.lost),
    },
    ...truthOf(proxy!, ourNumber),
  };
}

export async function runIrttBeside(
  owner: Owner,
  { seconds, intervalMs, seed }: PathOptions,
): Promise<PathRun> {
  const proxy = await proxyTo(owner, await startIrttServer(owner), seed);
  const { port } = proxy;
  const told = await runIrtt({ port, intervalMs, seconds, datagramBytes });
  return {
    told: { ...told, lossPercent: 100 * (1 - told.received / told.sent) },
    ...truthOf(proxy, irttNumber),
  };
}
