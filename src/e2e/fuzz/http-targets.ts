/** What the dashboard makes of clients' reports, and of requests. */
import assert from "node:assert/strict";
import { createGuard } from "../../http/guard.ts";
import { createMesh } from "../../metrics/mesh.ts";
import { HEADER_BYTES } from "../../relay/frame.ts";
import { ProtocolError } from "../../relay/protocol-error.ts";
import { writeReports } from "../../relay/report-frame.ts";
import { readReport } from "../../relay/report-reading.ts";
import { splitInput } from "./pieces.ts";
import { aReport } from "./samples.ts";
import { readOrRefuse, type Target } from "./target.ts";

const MOST_BYTES = 4096;
const TOKEN = "0123456789abcdef";

/** Reports, one after another, of two reporters: the page gets JSON with figures that are numbers. */
const mesh: Target = {
  name: "mesh",
  shape: "frames",
  mostBytes: MOST_BYTES,
  seeds: () => {
    const [frame] = writeReports(aReport);
    return [frame!, Uint8Array.of(...frame!, ...frame!)];
  },
  run(input) {
    let nowMs = 1e12;
    const mesh = createMesh({
      ...{ kind: "server", nowMs: () => nowMs, intervalMs: 1000 },
      ...{ isOwnName: (name) => name === "server", isExpected: () => true },
    });
    const reporters = [mesh.join("a", false), mesh.join("b", false)];
    let taken = 0;
    let told = 0;
    for (const frame of splitInput("frames", input)) {
      if (frame.byteLength < HEADER_BYTES) continue;
      const report = readOrRefuse(() => readReport(frame), ProtocolError);
      if (report === undefined) continue;
      mesh.takeReport(reporters[taken++ % 2]!, report.keys, report.differences);
      told += report.keys.length;
      nowMs += 1000;
      for (const _ of mesh.review()) { /* Step by step, as between other work. */ }
    }
    const texts = [...mesh.keysJson()];
    assert.ok(texts.length <= told);
    for (const text of texts) checkView(JSON.parse(text), mesh);
    checkNumbers(mesh.differences());
    return taken > 0;
  },
};

function checkView(view: { id: number }, mesh: ReturnType<typeof createMesh>): void {
  checkNumbers(view);
  const series = mesh.seriesJson(view.id, 0);
  if (series !== undefined) JSON.parse(series);
  for (const count of mesh.find(view.id)?.buckets ?? []) assert.ok(count >= 0, `${count}`);
}

/** JSON has no other numbers; what was none is null there. */
function checkNumbers(value: unknown): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value), `${value}`);
  else if (typeof value === "object" && value !== null) Object.values(value).forEach(checkNumbers);
}

/** Headers of a request, as JSON: who does not name the token gets nothing but health. */
const request: Target = {
  name: "request",
  shape: "json",
  mostBytes: MOST_BYTES,
  seeds: () =>
    [
      { method: "GET", host: "example:80", authorization: `Bearer ${TOKEN}` },
      { method: "GET", host: "[::1]:80", cookie: `a=b; performance_token=${TOKEN}` },
      { method: "HEAD", host: "127.0.0.1", site: "cross-site", cookie: "performance_token=%41%" },
    ].map((asked) => new TextEncoder().encode(JSON.stringify(asked))),
  run(input) {
    let asked: unknown;
    try {
      asked = JSON.parse(new TextDecoder().decode(input));
    } catch {
      return false;
    }
    const header = (name: string): string | undefined => {
      const value = (Object(asked) as Record<string, unknown>)[name];
      return typeof value === "string" ? value : undefined;
    };
    const headers = {
      ...{ method: header("method"), host: header("host"), site: header("site") },
      ...{ authorization: header("authorization"), cookie: header("cookie"), isHealth: false },
    };
    const open = createGuard("0.0.0.0", TOKEN).judge(headers);
    const decoded = decodeLoosely(`${headers.authorization} ${headers.cookie}`);
    if (open.allowed) assert.ok(decoded.includes(TOKEN), "let in without the token");
    // Here any program may ask, but no page of somebody else.
    const local = createGuard("127.0.0.1", undefined).judge(headers);
    if (local.allowed) assert.match(headers.host ?? "", /^(\[?::|127\.|localhost)/i);
    return open.allowed;
  },
};

/** As a browser may have escaped a cookie. */
function decodeLoosely(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export const httpTargets: Target[] = [mesh, request];
