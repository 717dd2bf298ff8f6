/**
 * Who is there: sessions that joined and left, from the relay.
 *
 *     | length u32 | 3 | 0 | joined u16 | left u16 |
 *     joined × { session u32, session id 8 bytes, flow u16, received f64, next f64,
 *                name u16 + UTF-8, route u16 + UTF-8 }
 *     left × { session u32, received f64, next f64, dropped f64 }
 *
 * A receiver counts an origin's messages from the `next` of its joining (or its own) to the `next`
 * of its leaving; `received` at both ends are the relay's counts of distinct messages, `dropped`
 * what the relay did not pass on to this receiver.
 */
import { createReader, createWriter } from "./bytes.ts";
import type { OriginCounts } from "./counts.ts";
import { FrameType, MAX_NAME_BYTES, MAX_ROUTE_BYTES } from "./frame.ts";
import { isFitForNames, SESSION_ID_BYTES } from "./hello.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface DirectoryEntry {
  session: number;
  sessionId: Uint8Array;
  flow: number;
  /** Distinct messages that the relay had from it so far. */
  received: number;
  /** Sequence from which on its messages count here. */
  next: number;
  name: string;
  route: string;
}

export interface Directory {
  joined: DirectoryEntry[];
  left: OriginCounts[];
}

/** Entries that surely fit into one control frame. */
export const MAX_DIRECTORY_ENTRIES = 100;

export function writeDirectory(directory: Directory): Uint8Array {
  const writer = createWriter(FrameType.directory, 0);
  writer.u16(directory.joined.length);
  writer.u16(directory.left.length);
  for (const entry of directory.joined) {
    writer.u32(entry.session);
    writer.bytes(entry.sessionId);
    writer.u16(entry.flow);
    writer.f64(entry.received);
    writer.f64(entry.next);
    writer.text(entry.name);
    writer.text(entry.route);
  }
  for (const entry of directory.left) {
    writer.u32(entry.session);
    writer.f64(entry.received);
    writer.f64(entry.next);
    writer.f64(entry.dropped);
  }
  return writer.finish();
}

/** Throws ProtocolError for lengths, counts and texts against the picture. */
export function readDirectory(frame: Uint8Array): Directory {
  const reader = createReader(frame, 6, "directory");
  const joinedCount = reader.u16();
  const leftCount = reader.u16();
  const joined: DirectoryEntry[] = [];
  for (let i = 0; i < joinedCount; i++) {
    const entry = {
      session: reader.u32(),
      sessionId: reader.bytes(SESSION_ID_BYTES),
      flow: reader.u16(),
      received: reader.count(),
      next: reader.count(),
      name: reader.text(MAX_NAME_BYTES),
      route: reader.text(MAX_ROUTE_BYTES),
    };
    if (!isFitForNames(entry.name) || !isFitForNames(entry.route)) {
      throw new ProtocolError("directory: a name breaks its rules");
    }
    joined.push(entry);
  }
  const left: OriginCounts[] = [];
  for (let i = 0; i < leftCount; i++) {
    left.push({
      session: reader.u32(),
      received: reader.count(),
      next: reader.count(),
      dropped: reader.count(),
    });
  }
  reader.end();
  return { joined, left };
}
