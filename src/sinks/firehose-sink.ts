/** Records to a Firehose delivery stream, by way of a queue in memory or on disk. */
import type { SinkLog } from "./delivery-log.ts";
import type { Put } from "./firehose-put.ts";
import { createFirehoseSender } from "./firehose-sender.ts";
import type { RecordQueue } from "./record-queue.ts";
import { type Sink, waitedS } from "./sink.ts";

/** So long a queue may take to close; a disk that hangs does not keep the process. */
const QUEUE_MS = 10_000;

/**
 * What waits in the queue already is sent right away.
 *
 * @param name of the delivery stream, with its region: `eu-west-1:records`
 * @param flushMs records wait so long for others to go with
 * @param aggregate several lines go in one Firehose record
 * @param nowMs the clock of the queue; it never goes back
 * @param random from 0 to 1
 */
export function createFirehoseSink({ name, queue, nowMs, ...options }: {
  name: string;
  queue: RecordQueue;
  put: Put;
  flushMs: number;
  aggregate: boolean;
  nowMs: () => number;
  random: () => number;
  log: SinkLog;
}): Sink {
  const title = `firehose ${name}`;
  const sender = createFirehoseSender({ name: title, queue, nowMs, ...options });
  let accepted = 0;
  let closed = false;

  return {
    write(line) {
      accepted++;
      queue.push(line);
      sender.pushed();
    },
    async close(graceMs) {
      await sender.close(graceMs);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          options.log.warn(`${title}: the spool's disk does not answer: what it has is not known`);
          resolve();
        }, QUEUE_MS);
      });
      await Promise.race([queue.close(), late]);
      clearTimeout(timer);
      closed = true;
    },
    summary() {
      const { recovered, queued, spooled, dropped } = queue.counts();
      const { sent, retried, failed } = sender.counts();
      // What no file holds ends with the process. Of a batch on disk all will be sent again, also
      // what Firehose took of it.
      const partlySent = closed && spooled === 0 ? sender.partlySent() : 0;
      const lost = closed ? queued - spooled - partlySent : 0;
      return {
        sink: title,
        accepted,
        ...(recovered > 0 && { recovered }),
        queued: closed ? spooled : queued,
        ...(spooled > 0 && { spooled }),
        sent: sent + partlySent,
        retried,
        failed: failed + lost,
        dropped,
        oldest_waiting_s: waitedS(queue.oldestMs(), nowMs()),
      };
    },
  };
}
