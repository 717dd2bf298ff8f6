/** What users are told of a delivery's troubles: what to do, at most once a minute, and their end. */

type Fields = Readonly<Record<string, string | number>>;

/** Where lines go: a plain sentence and figures. */
export interface SinkLog {
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
}

/** The first line of an outage comes after so many failures in a row: single ones pass unnoticed. */
const TOLD_FAILURES = 3;
const AGAIN_MS = 60_000;

export interface DeliveryLog {
  /** A request failed in a way that passes by itself. `failures`: so many in a row by now. */
  failed(message: string, failures: number): void;
  /** A request failed in a way that somebody must see to. */
  blocked(message: string): void;
  succeeded(): void;
  /** Records were given up, since nobody will ever take them: told once. */
  refused(message: string, records: number): void;
}

/**
 * @param name of the sink
 * @param waiting how much waits, for the lines' fields
 */
export function createDeliveryLog({ name, log, nowMs, waiting }: {
  name: string;
  log: SinkLog;
  nowMs: () => number;
  waiting: () => Fields;
}): DeliveryLog {
  /** When the first of the failures since the last success was seen. */
  let sinceMs = NaN;
  let outageTold = false;
  let told = { message: "", atMs: -Infinity };
  let refusedTold = false;

  const begin = (): void => {
    if (Number.isNaN(sinceMs)) sinceMs = nowMs();
  };
  const tell = (message: string): void => {
    const atMs = nowMs();
    if (atMs - told.atMs < AGAIN_MS) return;
    told = { message, atMs };
    outageTold = true;
    log.warn(`${name}: ${message}; records wait`, waiting());
  };

  return {
    failed(message, failures) {
      begin();
      log.debug(`${name}: ${message}`, { failures });
      if (failures >= TOLD_FAILURES) tell(message);
    },
    blocked(message) {
      begin();
      // Another advice than the last is worth a line at any time.
      if (message !== told.message) told.atMs = -Infinity;
      tell(message);
    },
    succeeded() {
      if (outageTold) {
        const seconds = Math.round((nowMs() - sinceMs) / 100) / 10;
        log.info(`${name}: records are taken again`, { outage_s: seconds, ...waiting() });
      }
      outageTold = false;
      sinceMs = NaN;
    },
    refused(message, records) {
      if (refusedTold) return log.debug(`${name}: ${message}`, { records });
      refusedTold = true;
      log.warn(`${name}: ${message}; such records are given up and counted as failed`, { records });
    },
  };
}
