/** The server's command line. */

import { host, listeningPort } from "../cli/addresses.ts";
import { type Config, flag, type OptionTable, value, type Values } from "../cli/option.ts";
import { HTTP, httpOptions, httpWarnings } from "../cli/http-options.ts";
import { recordOptions, RECORDS } from "../cli/record-options.ts";
import {
  addressProblem,
  backlogOption,
  certificateOptions,
  certificateProblem,
  clockOptions,
  CLOCKS,
  CONNECTION,
  EXIT_CODES,
  filterOption,
  ipVersionOptions,
  LIMITS,
  MESSAGES,
  nameOption,
  OTHER,
  otherOptions,
  OUTPUT,
  outputOptions,
  PRECEDENCE,
  SECURITY,
  sharedProblem,
  tokenOption,
} from "../cli/shared-options.ts";
import { bytes, number, oneOf, path, wholeNumber } from "../cli/values.ts";

const options = {
  port: value(listeningPort, {
    group: CONNECTION,
    short: "p",
    default: "8080",
    help: "Port to listen on; 0 takes any free one, which the log names.",
  }),
  host: value(host, {
    group: CONNECTION,
    help: "Address to listen on; all interfaces where none is given.",
  }),
  transport: value(oneOf("tcp", "udp", "tcp,udp"), {
    group: CONNECTION,
    default: "tcp",
    help: "What clients may come over; those of both see one another.",
  }),
  "udp-port": value(listeningPort, {
    group: CONNECTION,
    help: "Port for UDP; the same as --port where none is given.",
  }),
  name: nameOption("server", "%region% and %zone% become where it runs."),
  ...ipVersionOptions,
  filter: filterOption("Ignores clients whose own --filter does not contain this."),
  ...certificateOptions(
    "Takes clients over TLS 1.3 alone: its certificate in PEM, with all between it and the root.",
  ),
  "tls-ca": value(path, {
    group: SECURITY,
    help: "Takes only clients that show a certificate of these authorities.",
  }),
  "token-file": tokenOption(
    "SERVER",
    "File with the secret that clients must know, and that the server proves to know; several, " +
      "one a line, while it is changed.",
  ),
  "max-clients": value(wholeNumber({ least: 1, most: 10_000 }), {
    group: LIMITS,
    default: "1000",
    help: "Further clients are turned away, and told so.",
  }),
  "max-per-address": value(wholeNumber({ least: 1, most: 100_000 }), {
    group: LIMITS,
    help:
      "Connections from one address, or one /64 of IPv6: further ones are turned away. No limit " +
      "but --max-clients where it is not given: behind a load balancer all may have its address.",
  }),
  "max-rate": value(number({ zero: false, most: 10_000_000 }), {
    group: LIMITS,
    help: "Messages a second that a client may send, over 10 s: a flood is slowed down to it, " +
      "another client that sends more is disconnected.",
  }),
  "max-byte-rate": value(bytes("1KiB", "64GiB"), {
    group: LIMITS,
    help: "The same for bytes a second.",
  }),
  "max-backlog": backlogOption,
  ...clockOptions,
  ...recordOptions("SERVER"),
  ...httpOptions("SERVER", "dashboard, metrics and health"),
  ...outputOptions,
  health: flag({
    group: OTHER,
    variable: false,
    help: "Asks the server on this machine whether it serves: exit code 0 or 1.",
  }),
  ...otherOptions,
} as const;

/** The server's options. Durations are milliseconds, sizes are bytes. */
export const serverOptions: OptionTable<typeof options, Values<typeof options>> = {
  tool: "performance-server",
  prefix: "SERVER",
  about: "Relays the messages of performance-client to all its other clients, and measures what " +
    "the way to this server takes: one-way delay, each figure with its error bound.",
  groups: [CONNECTION, SECURITY, MESSAGES, LIMITS, CLOCKS, RECORDS, HTTP, OUTPUT, OTHER],
  options,
  examples: [
    { says: "Serve on port 8080 of all interfaces:", command: "performance-server" },
    {
      says: "Named after its AWS region, on another port:",
      command: "performance-server -n server-%region% -p 9000",
    },
    {
      says: "Any free port of this machine alone (the log tells which):",
      command: "performance-server --host 127.0.0.1 -p 0",
    },
    {
      says: "Each inbound hop as a line of JSON, a report a minute:",
      command: "performance-server --ndjson hops.ndjson --stats 60",
    },
    {
      says: "The same to Amazon Data Firehose, kept on disk while it cannot be reached:",
      command: "performance-server -k eu-west-1:performance --spool /var/spool/performance",
    },
    {
      says: "Dashboard, metrics and API on this machine:",
      command: "performance-server --http 8081",
    },
    {
      says: "The health check of a container:",
      command: "performance-server --health",
    },
    {
      says: "By environment, as in a task definition:",
      command: "SERVER_NAME=server-%region% SERVER_MAX_CLIENTS=50 performance-server",
    },
  ],
  notes: [
    {
      title: "What an estimate cannot know",
      text: "Without synchronized clocks the offset between two hosts is estimated from round " +
        "trips, and their time is shared evenly between both ways. error_ms bounds what that " +
        "may be wrong by; only synchronized clocks show the asymmetry of a single route.",
    },
    PRECEDENCE,
    EXIT_CODES,
  ],
  finish(values, sources) {
    const problem = sharedProblem(values, sources) ??
      addressProblem("host", values.host, values) ?? tlsProblem(values);
    if (problem !== undefined) return { problem };
    return {
      value: { config: values, warnings: [...tlsWarnings(values), ...httpWarnings(values)] },
    };
  },
};

/** What goes wrong with certificates; the message, or undefined. */
function tlsProblem(values: Values<typeof options>): string | undefined {
  const { tlsCert, tlsCa, transport } = values;
  const problem = certificateProblem(values);
  if (problem !== undefined) return problem;
  if (tlsCa !== undefined && tlsCert === undefined) {
    return "--tls-ca needs --tls-cert and --tls-key: only over TLS do clients show certificates";
  }
  return tlsCert !== undefined && transport === "udp"
    ? "--tls-cert needs --transport tcp or tcp,udp: there is no TLS over UDP"
    : undefined;
}

function tlsWarnings({ tlsCert, transport }: Values<typeof options>): string[] {
  return tlsCert !== undefined && transport === "tcp,udp"
    ? ["--tls-cert is for TCP alone: what goes over UDP is not encrypted"]
    : [];
}

export type ServerConfig = Config<typeof serverOptions>;
