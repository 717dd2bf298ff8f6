/** One connection to a relay, and the session that it becomes once its hello was taken. */
import type { FrameSplitter } from "./frame.ts";
import type { Hello, SendModeName } from "./hello.ts";
import type { Admission } from "./gate.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import type { ProcessPair } from "./process-pairs.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { SequenceTracker } from "./sequence.ts";

/**
 * greeting: its hello is awaited · open · closing: bye was said, what is queued still leaves ·
 * closed
 */
export type ConnectionState = "greeting" | "open" | "closing" | "closed";

/** A connection; owned and changed by the relay alone. */
export interface Connection {
  readonly link: Link;
  readonly outbox: Outbox;
  readonly splitter: FrameSplitter;
  state: ConnectionState;
  /** When it was made; from the hello on, when the last bytes came from it. */
  heardUs: number;
  /** When its bye was said. */
  closingUs: number;
  session: Session | undefined;
  readonly admission: Admission;
  /** What a client that has a token said, and was asked, before its proof. */
  challenged: {
    hello: Hello;
    nonce: Uint8Array;
    helloFrame: Uint8Array;
    challenge: Uint8Array;
  } | undefined;
}

/** A client's session. The relay owns it; observers read it. */
export interface Session {
  readonly connection: Connection;
  readonly number: number;
  /** 16 hexadecimal digits, unique among all relays. */
  readonly id: string;
  readonly idBytes: Uint8Array;
  readonly name: string;
  readonly route: string;
  readonly flow: number;
  readonly mode: SendModeName;
  readonly echo: boolean;
  /** Its payloads begin with a text that has the relay's filter: metered, relayed, announced. */
  readonly metered: boolean;
  readonly maxPayloadBytes: number;
  readonly pair: ProcessPair;
  /** Its messages as they arrived here. */
  readonly tracker: SequenceTracker;
  /** Messages of others (by session number) that this one lost because it fell behind. */
  readonly dropped: Map<number, number>;
  droppedTotal: number;
  /** Its messages that had no room for another hop and were not passed on. */
  noSlot: number;
  /** Since its last completed write it has lost messages. */
  overflowed: boolean;
  /** What it may send; undefined: anything. */
  readonly rate: RateLimit | undefined;
  /** A flood that is read no further until its receivers have caught up, or its rate allows. */
  held: boolean;
  /** When its last message arrived. */
  dataUs: number;
  /** When its last report was read. */
  reportUs: number;
  heartbeatDueUs: number;
  /** Round trip of its newest clock exchange, µs; NaN before the first. */
  rttUs: number;
  /** The answer that its next third clock frame must return. */
  answer: { exchange: number; t2Us: number; t3Us: number } | undefined;
}
