/** irtt, the nearest peer: a client and a server over UDP that tell round trips and one-way delays. */
import type { Owner } from "../../processes.ts";
import { output, startReachable } from "../started.ts";

/** Times in milliseconds. */
export interface IrttFigures {
  sent: number;
  received: number;
  rttMedianMs: number;
  /** One way, by the wall clocks of both ends. */
  upMedianMs: number;
  downMedianMs: number;
  /** |difference of round trips| of neighbours. */
  ipdvMeanMs: number;
  /** Actual less intended time of sending. */
  timerErrorMeanMs: number;
  /** Sends of the schedule that never happened. */
  missed: number;
}

interface Distribution {
  mean: number;
  median: number;
}

/** What is read of the document that `irtt client -o` writes; times in ns. */
interface IrttDocument {
  stats: {
    timer_error: Omit<Distribution, "median">;
    rtt: Distribution;
    send_delay: Distribution;
    receive_delay: Distribution;
    ipdv_round_trip: Distribution;
    packets_sent: number;
    packets_received: number;
    timer_misses: number;
  };
}

export function parseIrtt(text: string): IrttFigures {
  const { stats } = JSON.parse(text) as IrttDocument;
  const ms = (ns: number): number => ns / 1e6;
  return {
    sent: stats.packets_sent,
    received: stats.packets_received,
    rttMedianMs: ms(stats.rtt.median),
    upMedianMs: ms(stats.send_delay.median),
    downMedianMs: ms(stats.receive_delay.median),
    ipdvMeanMs: ms(stats.ipdv_round_trip.mean),
    timerErrorMeanMs: ms(stats.timer_error.mean),
    missed: stats.timer_misses,
  };
}

/** Starts a server, and waits until it answers: a client that is refused gives up at once. */
export const startIrttServer = (owner: Owner): Promise<number> =>
  startReachable(
    owner,
    // Neither the shortest interval nor the longest run is limited.
    (port) => ["irtt", "server", "-b", `127.0.0.1:${port}`, "-i", "0", "-d", "0"],
    // -n: greets the server, and measures nothing.
    (port) => output(["irtt", "client", "-n", `127.0.0.1:${port}`]).then(() => true, () => false),
  );

export async function runIrtt(
  { port, intervalMs, seconds, datagramBytes }: {
    port: number;
    intervalMs: number;
    seconds: number;
    datagramBytes: number;
  },
): Promise<IrttFigures> {
  return parseIrtt(
    await output([
      ...["irtt", "client", "-Q", "-o", "-", "--timeouts=200ms,200ms,500ms,1s,2s"],
      ...["-i", `${intervalMs}ms`, "-d", `${seconds}s`, "-l", `${datagramBytes}`],
      `127.0.0.1:${port}`,
    ]),
  );
}
