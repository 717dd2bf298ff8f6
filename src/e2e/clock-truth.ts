/**
 * What a process with a fake clock cannot hide: its clock's offset, from exchanges with a beacon
 * that runs under the same fake clock on this machine (clock-beacon.ts). Loopback takes some tens
 * of µs there and back, so the quickest exchanges tell the offset to a few µs.
 */
import dgram from "node:dgram";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Clock, createClock } from "../platform/clock.ts";

export interface ClockTruth {
  /** Starts a program of the caller under the fake clock: goes before its command. */
  readonly through: readonly string[];
  /**
   * Offset true clock − fake clock as a function of the fake clock's time, in µs.
   *
   * @param rate of the fake clock: 1.0002 gains 200 ppm
   */
  offset(rate: number): { at(fakeUs: number): number; errorUs: number };
  close(): void;
}

interface Exchange {
  fakeUs: number;
  offsetUs: number;
  roundTripUs: number;
}

/** Share of the exchanges that is believed: the quickest. */
const BELIEVED = 0.05;
const beacon = fileURLToPath(new URL("clock-beacon.ts", import.meta.url));

/** A busy machine leaves one anchor too blunt to be the truth; one of some is sharp. */
export function createSharpClock(): Clock {
  let clock = createClock();
  for (let more = 50; more > 0 && clock.anchorErrorUs > 1; more--) clock = createClock();
  return clock;
}

/** @param under the command that fakes the clock of the one behind it; empty for the true clock */
export async function createClockTruth(under: readonly string[]): Promise<ClockTruth> {
  const clock = createSharpClock();
  const exchanges: Exchange[] = [];
  const socket = dgram.createSocket("udp4");
  socket.on("message", (request, { port, address }) => {
    const nowUs = clock.nowUs();
    const answer = Buffer.alloc(16);
    request.copy(answer, 0, 0, 8);
    answer.writeDoubleLE(nowUs, 8);
    socket.send(answer, port, address);
    const [sentUs, arrivedUs, answeredUs] = [8, 16, 24].map((at) => request.readDoubleLE(at));
    const fakeUs = (sentUs! + answeredUs!) / 2;
    if (sentUs === 0 || exchanges.at(-1)?.fakeUs === fakeUs) return;
    const roundTripUs = answeredUs! - sentUs!;
    exchanges.push({ fakeUs, offsetUs: arrivedUs! - fakeUs, roundTripUs });
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address() as AddressInfo;

  return {
    through: [...under, process.execPath, beacon, String(port)],
    offset(rate) {
      const quickest = exchanges.toSorted((a, b) => a.roundTripUs - b.roundTripUs)
        .slice(0, Math.ceil(exchanges.length * BELIEVED));
      if (quickest.length < 5) throw new Error(`${exchanges.length} exchanges are too few`);
      // The rate is known, only the constant is not: each exchange tells it.
      const slope = 1 / rate - 1;
      const constants = quickest.map(({ fakeUs, offsetUs }) => offsetUs - slope * fakeUs)
        .toSorted((a, b) => a - b);
      const constant = constants[constants.length >> 1]!;
      const errorUs = Math.max(constants.at(-1)! - constant, constant - constants[0]!);
      return { at: (fakeUs) => constant + slope * fakeUs, errorUs };
    },
    close: () => void socket.close(),
  };
}
