/** The client's command line. */

import { host, ipAddress, port, routes } from "../cli/addresses.ts";
import {
  camelCase,
  type Config,
  flag,
  type OptionTable,
  stronger,
  value,
  type Values,
} from "../cli/option.ts";
import { HTTP, httpOptions, httpWarnings } from "../cli/http-options.ts";
import { recordOptions, RECORDS } from "../cli/record-options.ts";
import {
  addressProblem,
  certificateOptions,
  certificateProblem,
  clockOptions,
  CLOCKS,
  CONNECTION,
  echoOption,
  EXIT_CODES,
  filterOption,
  ipVersionOptions,
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
import {
  duration,
  interval,
  number,
  oneOf,
  path,
  wholeNumber,
  wholeNumbers,
} from "../cli/values.ts";
import { MAX_UDP_PAYLOAD_BYTES, unfragmentedPayloadBytes } from "../relay/datagram.ts";
import { MAX_PAYLOAD_BYTES } from "../relay/frame.ts";

const RUN = "Length of the run";

/** Sizes over UDP where none are given: each fits into one packet on all usual paths. */
const UDP_SIZES = [16, 512, 1024, 1200];

const options = {
  server: value(routes, {
    group: CONNECTION,
    short: "s",
    variable: "SERVER_NAME",
    default: "localhost",
    list: true,
    help: "Server, or several: each is a route of its own, named by its label (else by its " +
      "address). Routes to one server are compared pair by pair.",
  }),
  port: value(port, {
    group: CONNECTION,
    short: "p",
    default: "8080",
    help: "Port of the servers that are given without one.",
  }),
  name: nameOption(
    "client",
    "%region% and %zone% become where it runs, %route% the label of each route.",
  ),
  transport: value(oneOf("tcp", "udp"), {
    group: CONNECTION,
    default: "tcp",
    help: "Over UDP each message is one datagram, never sent again: loss, doubles and changes of " +
      "order are the network's own. The server must take it.",
  }),
  flows: value(wholeNumber({ least: 1, most: 64 }), {
    group: CONNECTION,
    default: "1",
    help: "Connections of each route, each from a port of its own: networks that balance load " +
      "pin each of them to one of several ways. Interval, rate and count are those of each.",
  }),
  bind: value(ipAddress, { group: CONNECTION, help: "Local IP address to connect from." }),
  ...ipVersionOptions,
  "connect-timeout": value(duration({ leastMs: 1, zeroMeans: "for ever" }), {
    group: CONNECTION,
    default: "30s",
    help: "Gives up where no route connects within this time; 0 waits for ever.",
  }),
  tls: flag({
    group: SECURITY,
    help: "Connects over TLS 1.3, to a server whose certificate is trusted and for its name.",
  }),
  "tls-ca": value(path, {
    group: SECURITY,
    help: "Authorities in PEM to trust instead of the usual ones.",
  }),
  "tls-server-name": value(host, {
    group: SECURITY,
    help: "Name that the server's certificate must have, where it is not that of the address.",
  }),
  ...certificateOptions("Certificate in PEM to show to a server that asks for one."),
  "token-file": tokenOption(
    "CLIENT",
    "File with the secret, in its first line, that client and server prove to one another that " +
      "they know.",
  ),
  mode: value(oneOf("paced", "ping-pong", "flood"), {
    group: MESSAGES,
    default: "paced",
    help: "By the interval; one message at a time, the next when it has come back; or as fast " +
      "as the slowest recipient takes them.",
  }),
  interval: value(interval, {
    group: MESSAGES,
    default: "3500ms-4500ms",
    help: "Time between two messages, with its unit: uniformly random in the range.",
  }),
  rate: value(number({ zero: false, most: 1_000_000 }), {
    group: MESSAGES,
    help: "Messages a second, instead of --interval.",
  }),
  size: value(wholeNumbers({ least: 1, most: MAX_PAYLOAD_BYTES }), {
    group: MESSAGES,
    default: "16,512,1024,2048",
    list: true,
    help: `Bytes of payload, 1 to ${MAX_PAYLOAD_BYTES}: one of these at random for each ` +
      "message. The filter's text is never cut off. Over UDP at most " +
      `${MAX_UDP_PAYLOAD_BYTES}, and ${UDP_SIZES.join()} where none are given.`,
  }),
  filter: filterOption(
    "Begins each payload; a server with a --filter ignores clients without its text.",
  ),
  echo: echoOption,
  warmup: value(wholeNumber({ least: 0, most: 1_000_000 }), {
    group: MESSAGES,
    default: "10",
    help: "First messages of each connection that are left out of the figures.",
  }),
  count: value(wholeNumber({ least: 1, most: 1_000_000_000_000 }), {
    group: RUN,
    help: "Ends after so many messages on each route, warm-up left out.",
  }),
  duration: value(duration({ leastMs: 1 }), {
    group: RUN,
    help: "Ends after this time from the first connection, warm-up included.",
  }),
  ...clockOptions,
  ...recordOptions("CLIENT"),
  ...httpOptions("CLIENT", "metrics, health and the API"),
  ...outputOptions,
  ...otherOptions,
} as const;

type Raw = Values<typeof options>;

/** One way to a server. */
export interface RouteConfig {
  label: string;
  /** Host name or IP address, without brackets. */
  host: string;
  port: number;
  /** The address as the user wrote it. */
  address: string;
}

/** The configuration as it follows from the options: ports filled in, echo decided. */
type Resolved = Omit<Raw, "server" | "echo"> & {
  server: readonly RouteConfig[];
  echo: boolean;
};

/** The client's options. Durations are milliseconds, sizes are bytes. */
export const clientOptions: OptionTable<typeof options, Resolved> = {
  tool: "performance-client",
  prefix: "CLIENT",
  about: "Sends messages to performance-server over one or many routes, receives those of the " +
    "other clients, and shows what the ways take: one-way delay, round trip, loss, each with " +
    "its error bound.",
  groups: [CONNECTION, SECURITY, MESSAGES, RUN, CLOCKS, RECORDS, HTTP, OUTPUT, OTHER],
  options,
  examples: [
    { says: "A server on this machine, until Ctrl-C:", command: "performance-client" },
    {
      says: "Is the accelerated route faster than the direct one? Both, side by side:",
      command: "performance-client -s direct=a.example.com,accelerated=b.example.com",
    },
    {
      says: "A hundred messages a second for a minute, named after the AWS region:",
      command: "performance-client -s a.example.com --rate 100 --duration 1m \\\n" +
        "  -n client-%region%",
    },
    {
      says: "A thousand round trips of 64 bytes, the result as JSON:",
      command: "performance-client --mode ping-pong --size 64 --count 1000 --json",
    },
    {
      says: "Several servers, a port of its own and an IPv6 address, records to a file:",
      command: "performance-client -s eu=a,us=b:9000,'[2001:db8::1]' --ndjson hops.ndjson",
    },
    {
      says: "Records to Amazon Data Firehose, kept on disk while it cannot be reached:",
      command: "performance-client -s a.example.com -k eu-west-1:performance \\\n" +
        "  --spool /var/spool/performance",
    },
    {
      says: "What records say: figures, and which route is faster (report -h tells more):",
      command: "performance-client report hops.ndjson --compare direct accelerated",
    },
    {
      says: "By environment, as in a task definition:",
      command: "SERVER_NAME=a.example.com CLIENT_NAME=client-%region% \\\n" +
        "  CLIENT_FIREHOSE=performance performance-client",
    },
  ],
  notes: [
    {
      title: "What an estimate cannot know",
      text: "Without synchronized clocks the offset between two hosts is estimated from round " +
        "trips, and their time is shared evenly between both ways. error_ms bounds what that " +
        "may be wrong by; only synchronized clocks show the asymmetry of a single route. " +
        "Differences between routes of one client do not suffer from this: both routes share " +
        "the same two clocks.",
    },
    PRECEDENCE,
    EXIT_CODES,
  ],
  finish(values, sources) {
    const paced = pacing(values, sources);
    const problem = sharedProblem(values, sources) ?? addressProblem("bind", values.bind, values) ??
      (values.mode === "ping-pong" && values.echo === false
        ? "--no-echo and --mode ping-pong exclude one another: a ping-pong waits for its echo"
        : undefined) ??
      udpProblem(values) ?? tlsProblem(values);
    if (problem !== undefined) return { problem };
    if ("problem" in paced) return paced;
    const size = values.transport === "udp" && sources.size === "default" ? UDP_SIZES : values.size;
    const config: Resolved = {
      ...values,
      size,
      ...paced.value,
      server: values.server.map((route) => ({ ...route, port: route.port ?? values.port })),
      echo: values.echo ?? (values.server.length > 1 || values.mode === "ping-pong"),
    };
    const warnings = values.mode === "paced"
      ? []
      : (["interval", "rate"] as const).filter((key) => sources[key] !== "default")
        .map((key) => `--${key} has no effect with --mode ${values.mode}`);
    warnings.push(...httpWarnings(values));
    return { value: { config, warnings } };
  },
};

export type ClientConfig = Config<typeof clientOptions>;

/** What goes wrong with TLS; the message, or undefined. */
function tlsProblem(values: Raw): string | undefined {
  if (values.tls) {
    return values.transport === "udp"
      ? "--tls needs --transport tcp: there is no TLS over UDP"
      : certificateProblem(values);
  }
  const alone = (["tls-ca", "tls-cert", "tls-key", "tls-server-name"] as const)
    .find((name) => values[camelCase(name) as "tlsCa" | "tlsCert"] !== undefined);
  return alone === undefined ? undefined : `--${alone} has no effect without --tls: add it`;
}

/** What UDP cannot do; the message, or undefined. */
function udpProblem({ transport, mode, size }: Raw): string | undefined {
  if (transport !== "udp") return undefined;
  if (mode === "flood") {
    return "--mode flood needs --transport tcp: over UDP nothing tells how much receivers take";
  }
  const largest = Math.max(...size);
  return largest > MAX_UDP_PAYLOAD_BYTES
    ? `--size ${largest}: over UDP at most ${MAX_UDP_PAYLOAD_BYTES} bytes`
    : undefined;
}

/** What to warn of where messages over UDP are too large for a packet: with a token it holds less. */
export function fragmentWarning(
  { transport, size }: Pick<ClientConfig, "transport" | "size">,
  hasToken: boolean,
): string | undefined {
  const most = unfragmentedPayloadBytes(hasToken);
  const largest = Math.max(...size);
  if (transport !== "udp" || largest <= most) return undefined;
  return `--size ${largest}: over UDP${hasToken ? " with a token" : ""} more than ${most} bytes ` +
    "travel in fragments on most paths, and are lost with any of them";
}

/** `rate` and `interval` exclude one another; the interval follows from a rate. */
function pacing(
  { rate, interval }: Raw,
  sources: Parameters<typeof clientOptions.finish>[1],
): { value: Pick<Raw, "rate" | "interval"> } | { problem: string } {
  if (rate === undefined) return { value: { rate, interval } };
  const winner = stronger(sources.rate, sources.interval);
  if (winner === "neither") {
    return { problem: "--rate and --interval exclude one another: leave one out" };
  }
  if (winner === "b") return { value: { rate: undefined, interval } };
  return { value: { rate, interval: { minMs: 1000 / rate, maxMs: 1000 / rate } } };
}
