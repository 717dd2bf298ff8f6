/**
 * Logs: lines on stderr, as text for people or as JSON for machines. What others chose (names,
 * addresses, reasons) goes into fields and messages as it is: it is escaped here.
 *
 * LogTape loads only when `configureLog` is called, so that `-h` does not wait for it; what is
 * logged before that is dropped.
 */

import type { Logger as TapeLogger, LogLevel, LogRecord } from "@logtape/logtape";
import { escapeControls } from "./escape.ts";

/** What a line tells beside its message. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Logs for one area of the program. Messages are plain sentences; figures go into fields. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export type LogFormat = "text" | "json";

const ROOT = "performance-tester";

let getTapeLogger: ((category: readonly string[]) => TapeLogger) | undefined;

/**
 * From now on lines are written. Each is handed to `write` before the call that logged it
 * returns, with its newline.
 *
 * @param verbose debug lines too
 */
export async function configureLog(
  { format, verbose, write }: {
    format: LogFormat;
    verbose: boolean;
    write: (line: string) => unknown;
  },
): Promise<void> {
  const logtape = await import("@logtape/logtape");
  const formatLine = format === "json" ? jsonLine : textLine;
  logtape.configureSync({
    reset: true,
    sinks: { lines: (record) => void write(`${formatLine(record)}\n`) },
    loggers: [
      { category: ROOT, lowestLevel: verbose ? "debug" : "info", sinks: ["lines"] },
      // Its own notices about its configuration are of no use to our users.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
  getTapeLogger = logtape.getLogger;
}

/** The logger of an area of the program, such as `server` or `clock`. */
export function logger(area: string): Logger {
  let tape: TapeLogger | undefined;
  const tapeLogger = () => tape ??= getTapeLogger?.([ROOT, area]);
  const log = (level: LogLevel) => (message: string, fields: Fields = {}) =>
    tapeLogger()?.emit({
      timestamp: Date.now(),
      level,
      // As one literal part: braces in a message are no placeholders.
      message: [message],
      rawMessage: message,
      properties: fields,
    });
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warning"),
    error: log("error"),
  };
}

/** Of `--log-format`: what was asked for, else what suits the stream. */
export function logFormat(asked: LogFormat | undefined, isTerminal: boolean): LogFormat {
  return asked ?? (isTerminal ? "text" : "json");
}

const SHOWN_LEVEL: Readonly<Record<LogLevel, string>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "error",
};

function textLine(record: LogRecord): string {
  const fields = Object.entries(record.properties).filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${textValue(value)}`);
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const level = SHOWN_LEVEL[record.level].padEnd(5);
  const message = escapeControls(record.message.join(""));
  return [time, level, `${areaOf(record)}:`, message, ...fields].join(" ");
}

/** Text with a space, a quote or an equals sign stands in quotes, so that fields stay apart. */
function textValue(value: unknown): string {
  const text = String(value);
  return escapeControls(/^[^\s"=]+$/u.test(text) ? text : JSON.stringify(text));
}

function jsonLine(record: LogRecord): string {
  return escapeControls(JSON.stringify({
    time: new Date(record.timestamp).toISOString(),
    level: SHOWN_LEVEL[record.level],
    area: areaOf(record),
    message: record.message.join(""),
    ...record.properties,
  }));
}

function areaOf(record: LogRecord): string {
  return record.category.slice(1).join(".");
}
