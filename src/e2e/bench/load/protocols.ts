/**
 * How the load program speaks to each relay: as little as it takes to get messages through, so that
 * the relay and not the load is measured. Receivers look at no byte.
 */
import { randomBytes } from "node:crypto";
import { beginHop, dataFrameBytes, HOP_SLOTS, writeDataFrame } from "../../../relay/data-frame.ts";
import { MAX_PAYLOAD_BYTES } from "../../../relay/frame.ts";
import { PROCESS_ID_BYTES, SESSION_ID_BYTES, writeHello } from "../../../relay/hello.ts";

export type Role = "send" | "receive";
export type ProtocolName = "ours" | "nats" | "mqtt" | "redis" | "bare";

export interface Protocol {
  /** Said first. */
  greeting(role: Role): Uint8Array;
  /** Whether what has come so far answers the greeting. */
  isWelcome(answer: Buffer): boolean;
  /** As it is sent, with room for what `number` writes. */
  message: Uint8Array;
  /** Of a message as it is received. */
  receivedBytes: number;
  /** Numbers the messages of a block, from `first`, where the protocol numbers messages. */
  number?(block: DataView, first: number): void;
}

export const PAYLOAD_BYTES = 128;
const PAYLOAD = "=".repeat(PAYLOAD_BYTES);
const isAny = (answer: Buffer): boolean => answer.byteLength > 0;

function ours(): Protocol {
  const frameBytes = dataFrameBytes(HOP_SLOTS, PAYLOAD_BYTES);
  const message = new Uint8Array(frameBytes).fill("=".charCodeAt(0));
  const view = new DataView(message.buffer);
  const write = (into: DataView, at: number, sequence: number): void => {
    writeDataFrame(into, at, {
      flags: 0,
      hopSlots: HOP_SLOTS,
      origin: 0,
      sequence,
      intendedUs: 1e14,
      payloadBytes: PAYLOAD_BYTES,
    });
    beginHop(into, at);
  };
  write(view, 0, 1);
  return {
    greeting: (role) =>
      writeHello({
        probe: false,
        echo: false,
        processId: randomBytes(PROCESS_ID_BYTES),
        previousSession: new Uint8Array(SESSION_ID_BYTES),
        maxPayloadBytes: MAX_PAYLOAD_BYTES,
        flow: 0,
        mode: role === "send" ? "flood" : "paced",
        name: role,
        route: "direct",
        prefix: "",
      }),
    isWelcome: isAny,
    message,
    receivedBytes: frameBytes,
    number(block, first) {
      for (let at = 0, sequence = first; at < block.byteLength; at += frameBytes) {
        write(block, at, sequence++);
      }
    },
  };
}

/** A packet of MQTT 3.1.1 (section 2.2): type and flags, remaining length, the rest. */
function mqttPacket(first: number, ...rest: (number | string)[]): Buffer {
  const body = Buffer.concat(
    rest.map((part) => typeof part === "number" ? Buffer.of(part) : Buffer.from(part)),
  );
  const length = body.byteLength < 128
    ? [body.byteLength]
    : [body.byteLength % 128 | 128, body.byteLength >> 7];
  return Buffer.concat([Buffer.of(first, ...length), body]);
}

function mqtt(): Protocol {
  const message = mqttPacket(0x30, 0, 1, "t", PAYLOAD);
  return {
    greeting: (role) =>
      Buffer.concat([
        // Version 4, a clean session, no keep-alive, a client id that the server makes up.
        mqttPacket(0x10, 0, 4, "MQTT", 4, 2, 0, 0, 0, 0),
        ...(role === "receive" ? [mqttPacket(0x82, 0, 1, 0, 1, "t", 0)] : []),
      ]),
    // CONNACK has 4 bytes; SUBACK follows it for a receiver, and gets there before any message.
    isWelcome: (answer) => answer.byteLength >= 4,
    message,
    receivedBytes: message.byteLength,
  };
}

const textProtocol = (
  texts: Record<Role, string>,
  isWelcome: Protocol["isWelcome"],
  message: string,
  received: string,
): Protocol => ({
  greeting: (role) => Buffer.from(texts[role]),
  isWelcome,
  message: Buffer.from(message),
  receivedBytes: received.length,
});

const NATS_CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\n';

const PROTOCOLS: Record<ProtocolName, () => Protocol> = {
  ours,
  mqtt,
  nats: () =>
    textProtocol(
      { send: `${NATS_CONNECT}PING\r\n`, receive: `${NATS_CONNECT}SUB t 1\r\nPING\r\n` },
      (answer) => answer.includes("PONG"),
      `PUB t ${PAYLOAD_BYTES}\r\n${PAYLOAD}\r\n`,
      `MSG t 1 ${PAYLOAD_BYTES}\r\n${PAYLOAD}\r\n`,
    ),
  redis: () =>
    textProtocol(
      { send: "PING\r\n", receive: "SUBSCRIBE t\r\n" },
      isAny,
      `*3\r\n$7\r\nPUBLISH\r\n$1\r\nt\r\n$${PAYLOAD_BYTES}\r\n${PAYLOAD}\r\n`,
      `*3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$${PAYLOAD_BYTES}\r\n${PAYLOAD}\r\n`,
    ),
  bare: () => {
    // As long as ours on the wire, so that the two differ by what the relay does alone.
    const { message, receivedBytes } = ours();
    return {
      greeting: (role) => Buffer.from(role === "send" ? "s" : "r"),
      isWelcome: isAny,
      message,
      receivedBytes,
    };
  },
};

export const protocolOf = (name: ProtocolName): Protocol => PROTOCOLS[name]();
