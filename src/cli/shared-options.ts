/** Options that client and server share, and what follows from them. */

import { ipVersion } from "./addresses.ts";
import { eitherFlag, flag, question, type Source, stronger, value } from "./option.ts";
import { recordsProblem } from "./record-options.ts";
import { bytes, duration, name, number, oneOf, path, text } from "./values.ts";
import { MAX_PREFIX_BYTES } from "../relay/frame.ts";

export const CONNECTION = "Connection";
export const MESSAGES = "Messages";
export const SECURITY = "Security";
export const LIMITS = "Limits";
export const CLOCKS = "Clocks";
export const OUTPUT = "Output";
export const OTHER = "Other";

/** The node's name; its default is that of the program. `places` tells what is replaced in it. */
export function nameOption(defaultName: string, places: string) {
  return value(name, {
    group: CONNECTION,
    short: "n",
    default: defaultName,
    help: `Name of this node; nodes of one name are aggregated. ${places}`,
  });
}

export const ipVersionOptions = {
  ipv4: flag({ group: CONNECTION, short: "4", help: "IPv4 only." }),
  ipv6: flag({ group: CONNECTION, short: "6", help: "IPv6 only." }),
} as const;

/** `help` tells what the program does with the text. */
export function filterOption(help: string) {
  return value(text("TEXT", MAX_PREFIX_BYTES), {
    group: MESSAGES,
    short: "f",
    emptyAllowed: true,
    default: "",
    help,
  });
}

export const clockOptions = {
  clock: value(oneOf("auto", "system", "estimate"), {
    group: CLOCKS,
    default: "auto",
    help: "What corrects one-way delays: the estimate from exchanged timestamps, the system " +
      "clocks as they are, or (auto) the estimate within what is known of the system clocks.",
  }),
  "clock-error": value(number({ zero: true, most: 1_000_000, placeholder: "MS" }), {
    group: CLOCKS,
    help: "This host's clock is known to be right within so many milliseconds.",
  }),
} as const;

export const outputOptions = {
  stats: value(duration({ leastMs: 100, zeroMeans: "never", placeholder: "SECONDS" }), {
    group: OUTPUT,
    default: "10",
    help: "Time between two reports of the figures; 0: only the last.",
  }),
  live: eitherFlag({
    group: OUTPUT,
    defaultText: "on",
    initial: true,
    help:
      "Shows the figures in place on a terminal; without it they are logged every --stats, as " +
      "they are where there is no terminal.",
  }),
  json: flag({ group: OUTPUT, help: "The final summary as one JSON document on stdout." }),
  "log-format": value(oneOf("text", "json"), {
    group: OUTPUT,
    help: "Logs go to stderr: as text on a terminal, else as JSON lines, unless this says.",
  }),
  verbose: flag({ group: OUTPUT, short: "v", help: "Logs what happens in detail." }),
} as const;

export const otherOptions = {
  grace: value(duration({ leastMs: 0 }), {
    group: OTHER,
    default: "10s",
    help: "Longest time for an orderly end: messages under way, byes, records.",
  }),
  help: question({ group: OTHER, short: "h", help: "Shows this help." }),
  version: question({ group: OTHER, help: "Shows version and commit." }),
  licenses: question({
    group: OTHER,
    help: "Shows the licences of all that this program contains.",
  }),
} as const;

/** Where the secret is that both ends must know; itself it is never on a command line. */
export function tokenOption(prefix: "CLIENT" | "SERVER", help: string) {
  return value({ ...path, placeholder: "FILE" }, {
    group: SECURITY,
    help: `${help} Where there is no file, ${prefix}_TOKEN holds the token itself.`,
  });
}

/** `--tls-cert` and `--tls-key`: what this end shows of itself. */
export function certificateOptions(help: string) {
  return {
    "tls-cert": value(path, { group: SECURITY, help }),
    "tls-key": value(path, { group: SECURITY, help: "Its private key in PEM." }),
  } as const;
}

/** What is wrong between them; the message, or undefined. */
export function certificateProblem(
  { tlsCert, tlsKey }: { tlsCert: string | undefined; tlsKey: string | undefined },
): string | undefined {
  if ((tlsCert === undefined) === (tlsKey === undefined)) return undefined;
  return "--tls-cert and --tls-key belong together: give both";
}

/** On the server: 8 MiB. */
export const backlogOption = value(bytes("256KiB", "4GiB"), {
  group: LIMITS,
  default: "8MiB",
  help: "Bytes that wait for a slow client before messages to it are dropped.",
});

/** A client's: undefined leaves it to the number of routes. */
export const echoOption = eitherFlag({
  group: MESSAGES,
  defaultText: "on with two routes or more, or --mode ping-pong",
  help: "The server returns the client's own messages too: round trips without another client.",
});

/** Both programs' checks; the message, or undefined. */
export function sharedProblem(
  values: { json: boolean; ipv4: boolean; ipv6: boolean } & Parameters<typeof recordsProblem>[0],
  sources: { ipv4: Source; ipv6: Source } & Parameters<typeof recordsProblem>[1],
): string | undefined {
  if (values.json && values.ndjson === "-") {
    return "--json and --ndjson - both write to stdout: give --ndjson a file";
  }
  const problem = recordsProblem(values, sources);
  if (problem !== undefined || !values.ipv4 || !values.ipv6) return problem;
  const winner = stronger(sources.ipv4, sources.ipv6);
  if (winner === "neither") return "-4 and -6 exclude one another: leave both out for either";
  if (winner === "a") values.ipv6 = false;
  else values.ipv4 = false;
  return undefined;
}

export const EXIT_CODES = {
  title: "Exit codes",
  text: "0: completed, or stopped by a signal. 1: failed (no server, port taken, output cannot " +
    "be written), or ended at once by a second signal. 2: wrong usage.",
} as const;

export const PRECEDENCE = {
  title: "Values",
  text: "Command line over environment over default; an empty variable counts as unset. Flags " +
    "take true or false from a variable, or behind =. Durations: a number and us, ms, s, m or " +
    "h; a bare number is seconds. Bytes: a number, or with KiB, MiB.",
} as const;

/** An address of the other IP version than the one asked for; the message, or undefined. */
export function addressProblem(
  name: string,
  address: string | undefined,
  { ipv4, ipv6 }: { ipv4: boolean; ipv6: boolean },
): string | undefined {
  const version = address === undefined ? 0 : ipVersion(address);
  if ((ipv4 && version === 6) || (ipv6 && version === 4)) {
    return `--${name} ${address} is an IPv${version} address, excluded by -${
      version === 6 ? 4 : 6
    }`;
  }
  return undefined;
}
