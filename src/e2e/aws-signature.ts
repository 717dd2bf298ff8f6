/** Checks AWS signatures (version 4) as a service does, for endpoints of tests. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface TestCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The session is over. */
  expired?: boolean;
}

/** Larger differences of the clocks are refused. */
const SKEW_MS = 5 * 60_000;
const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** Undefined where all is right; else the name of the error to answer with. */
export function checkSignature(
  request: IncomingMessage,
  body: Uint8Array,
  { known, service, nowMs }: {
    known: readonly TestCredentials[];
    service: string;
    nowMs: number;
  },
): string | undefined {
  const { authorization = "", "x-amz-date": time, "x-amz-security-token": token } = request.headers;
  if (authorization === "") return "MissingAuthenticationTokenException";
  const match = HEADER.exec(authorization);
  if (match === null || typeof time !== "string") return "IncompleteSignatureException";
  const [, accessKeyId, day, region, itsService, signedHeaders, signature] = match;
  const credentials = known.find((one) => one.accessKeyId === accessKeyId);
  if (credentials === undefined || credentials.sessionToken !== token) {
    return "UnrecognizedClientException";
  }
  if (itsService !== service || !signedHeaders!.split(";").includes("host")) {
    return "InvalidSignatureException";
  }

  const headers = signedHeaders!.split(";").map((name) =>
    `${name}:${String(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`
  );
  const canonical = [request.method, request.url, "", headers.join(""), signedHeaders, sha256(body)]
    .join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [day!, region!, service, "aws4_request"].reduce<Uint8Array>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature!, "hex"))) {
    return "InvalidSignatureException";
  }
  const signedMs = Date.parse(
    time.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5"),
  );
  if (!(Math.abs(signedMs - nowMs) <= SKEW_MS) || !time.startsWith(day!)) {
    return "InvalidSignatureException";
  }
  return credentials.expired ? "ExpiredTokenException" : undefined;
}

const sha256 = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex");

const hmac = (key: Uint8Array, text: string): Uint8Array =>
  createHmac("sha256", key).update(text).digest();
