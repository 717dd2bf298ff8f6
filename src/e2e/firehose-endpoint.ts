/**
 * A stand-in for Firehose that fails on request: it speaks PutRecordBatch of the JSON 1.1 protocol,
 * checks signatures and limits as the service documents them, and knows what it has accepted.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { checkSignature, type TestCredentials } from "./aws-signature.ts";
import { type ArrivedCounts, createRecordLedger } from "./record-ledger.ts";

export const TEST_CREDENTIALS: TestCredentials = {
  accessKeyId: "AKIDTEST",
  secretAccessKey: "secret-of-the-test",
};

/** Probabilities from 0 to 1, tried in this order; `delayMs` comes before all. */
export interface Faults {
  /** No answer, ever. */
  hang?: number;
  /** The connection is reset before anything is accepted. */
  reset?: number;
  /** Accepted, but the connection is reset instead of an answer: where duplicates come from. */
  acceptThenReset?: number;
  error500?: number;
  error503?: number;
  throttle?: number;
  /** That a request fails in part; each of its records then fails by one half. */
  partial?: number;
  /** Every request waits so long. */
  delayMs?: number;
}

export interface EndpointOptions {
  /** Delivery streams that exist. */
  streams?: readonly string[];
  credentials?: readonly TestCredentials[];
  faults?: Faults;
  seed?: number;
  /** Records with this text are refused as invalid, and so is any request that has one. */
  poison?: string;
  /** `records`: their text; `keys`: what `counts` needs; `nothing`: for measuring speed. */
  keep?: "records" | "keys" | "nothing";
  nowMs?: () => number;
}

export interface EndpointCounts extends ArrivedCounts {
  requests: number;
  /** Firehose records that were accepted. */
  records: number;
  bytes: number;
  /** The largest request, in records' bytes. */
  largestBytes: number;
  /** Answers that were not a plain success, by what they were. */
  faults: Record<string, number>;
}

export interface FirehoseEndpoint {
  readonly port: number;
  readonly url: string;
  setFaults(faults: Faults): void;
  setCredentials(credentials: readonly TestCredentials[]): void;
  addStream(name: string): void;
  /** Connections are refused from now on, and those that are open are reset. */
  refuse(): Promise<void>;
  /** Connections are accepted again, on the same port. */
  accept(): Promise<void>;
  counts(): EndpointCounts;
  /** Whether this line has been accepted. Not with `keep: "nothing"`. */
  has(line: string): boolean;
  /** Accepted records as text. With `keep: "records"` only. */
  accepted(): readonly string[];
  /** Resolves once `counts` fulfil this. */
  until(matches: (counts: EndpointCounts) => boolean): Promise<EndpointCounts>;
  close(): Promise<void>;
}

const MAX_RECORDS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_RECORD_BYTES = 1000 * 1024;
/** No request of the limits above is longer. */
const MAX_BODY_BYTES = 2 * MAX_BYTES;

export async function createFirehoseEndpoint(
  options: EndpointOptions = {},
): Promise<FirehoseEndpoint> {
  const { keep = "keys", poison, nowMs = Date.now } = options;
  const streams = new Set(options.streams ?? ["records"]);
  let credentials = options.credentials ?? [TEST_CREDENTIALS];
  let faults = options.faults ?? {};
  const random = createRandom(options.seed ?? 1);
  const ledger = createRecordLedger();
  const texts: string[] = [];
  const sockets = new Set<Socket>();
  const counted = { requests: 0, records: 0, bytes: 0, largestBytes: 0 };
  const answered: Record<string, number> = {};
  let watchers: (() => void)[] = [];

  const happens = (probability = 0): boolean => probability > 0 && random() < probability;
  const note = (what: string): void => {
    answered[what] = (answered[what] ?? 0) + 1;
  };
  const changed = (): void => {
    const woken = watchers;
    watchers = [];
    for (const wake of woken) wake();
  };
  const fail = (response: ServerResponse, status: number, name: string): void => {
    note(name);
    respond(response, status, { __type: name, message: `${name} of the test` });
  };
  const accept = (data: Uint8Array): void => {
    counted.records++;
    counted.bytes += data.byteLength;
    if (keep === "nothing") return;
    const text = Buffer.from(data).toString();
    ledger.add(text);
    if (keep === "records") texts.push(text);
  };

  /** What is wrong with a request, as the service would answer. */
  const refusal = (
    request: IncomingMessage,
    body: Uint8Array,
  ): { status: number; name: string } | { records: Uint8Array[] } => {
    if (request.headers["x-amz-target"] !== "Firehose_20150804.PutRecordBatch") {
      return { status: 400, name: "UnknownOperationException" };
    }
    const wrong = checkSignature(request, body, {
      known: credentials,
      service: "firehose",
      nowMs: nowMs(),
    });
    if (wrong !== undefined) return { status: 400, name: wrong };
    if (request.headers["content-type"] !== "application/x-amz-json-1.1") {
      return { status: 400, name: "SerializationException" };
    }
    const { DeliveryStreamName, Records } = JSON.parse(Buffer.from(body).toString());
    if (!streams.has(DeliveryStreamName)) return { status: 400, name: "ResourceNotFoundException" };
    const records: Uint8Array[] = Records.map(({ Data }: { Data: string }) =>
      Buffer.from(Data, "base64")
    );
    const bytes = records.reduce((sum, { byteLength }) => sum + byteLength, 0);
    counted.largestBytes = Math.max(counted.largestBytes, bytes);
    const isInvalid = records.length === 0 || records.length > MAX_RECORDS || bytes > MAX_BYTES ||
      records.some((record) =>
        record.byteLength > MAX_RECORD_BYTES ||
        (poison !== undefined && Buffer.from(record).includes(poison))
      );
    return isInvalid ? { status: 400, name: "InvalidArgumentException" } : { records };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    counted.requests++;
    if (faults.delayMs) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
    if (happens(faults.hang)) return note("hang");
    if (happens(faults.reset)) {
      note("reset");
      return void request.socket.resetAndDestroy();
    }
    const checked = refusal(request, body);
    if ("name" in checked) return fail(response, checked.status, checked.name);
    const { records } = checked;
    if (happens(faults.acceptThenReset)) {
      note("acceptThenReset");
      records.forEach(accept);
      return void request.socket.resetAndDestroy();
    }
    if (happens(faults.error500)) return fail(response, 500, "InternalFailure");
    if (happens(faults.error503)) return fail(response, 503, "ServiceUnavailableException");
    if (happens(faults.throttle)) return fail(response, 400, "ThrottlingException");
    const isPartial = happens(faults.partial);
    if (isPartial) note("partial");
    let failed = 0;
    const answers = records.map((record) => {
      if (isPartial && random() < 0.5) {
        failed++;
        return { ErrorCode: "ServiceUnavailableException", ErrorMessage: "Slow down." };
      }
      accept(record);
      return { RecordId: String(counted.records) };
    });
    respond(response, 200, { FailedPutCount: failed, RequestResponses: answers });
  };

  const server = createServer((request, response) => {
    // By it the SDK corrects a clock that is wrong.
    response.setHeader("date", new Date(nowMs()).toUTCString());
    handle(request, response)
      // The other side has gone, or sent what is no request.
      .catch(() => request.socket.destroy())
      .finally(changed);
  });
  // Idle connections stay: a test that resets one does so on purpose.
  server.keepAliveTimeout = 0;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  const port = await listen(0);
  const counts = (): EndpointCounts => ({
    ...counted,
    ...ledger.counts(),
    faults: { ...answered },
  });

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    setFaults(next) {
      faults = next;
    },
    setCredentials(next) {
      credentials = next;
    },
    addStream: (name) => void streams.add(name),
    refuse: stop,
    async accept() {
      await listen(port);
    },
    counts,
    has: ledger.has,
    accepted: () => texts,
    async until(matches) {
      while (!matches(counts())) await new Promise<void>((resolve) => watchers.push(resolve));
      return counts();
    },
    close: stop,
  };
}

function respond(response: ServerResponse, status: number, document: unknown): void {
  const text = JSON.stringify(document);
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(text);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new Error("the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** From 0 to 1, the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed % 2_147_483_647 || 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
