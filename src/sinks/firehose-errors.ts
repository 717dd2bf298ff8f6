/**
 * What the AWS SDK throws, as outcomes with a line for users. The SDK's own messages are not
 * shown: those on signatures quote the request, and so a session token.
 */
import type { PutOutcome } from "./firehose-put.ts";

/** The parts of an SDK error that tell what it is. */
interface SdkError {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
  $retryable?: { throttling?: boolean };
  /** Of several attempts to connect. */
  errors?: readonly SdkError[];
}

export interface Target {
  stream: string;
  region: string;
  /** `AWS_PROFILE`, where it is set. */
  profile?: string | undefined;
}

type Failed = Exclude<PutOutcome, { kind: "answered" }>;
/** `credentials`: the SDK should look for others. */
export type PutFailure = Failed & { credentials?: true };

const NETWORK: Readonly<Record<string, string>> = {
  EAI_AGAIN: "its name cannot be resolved: the resolver does not answer",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "no such host: check the region and the network",
  EPIPE: "connection closed",
  EPROTO: "it does not speak TLS: check AWS_ENDPOINT_URL_FIREHOSE",
  ETIMEDOUT: "timed out",
};

/** Any error of a PutRecordBatch request. */
export function describeSdkError(error: unknown, target: Target): PutFailure {
  const { message, $metadata, $retryable, ...rest } = Object(error) as SdkError;
  const { stream, region, profile } = target;
  // The service names its errors, or what answers in its place: names are shown.
  const name = identifier(rest.name);
  const code = identifier(rest.code ?? rest.errors?.[0]?.code);
  const status = Number($metadata?.httpStatusCode) || 0;
  const its = `delivery stream ${stream} in ${region}`;

  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    const where = profile === undefined
      ? "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this task or " +
        "instance a role"
      : `see to profile ${profile}, which AWS_PROFILE names, and whether its login has expired`;
    return {
      kind: "blocked",
      message: `no AWS credentials were found: ${where}`,
      credentials: true,
    };
  }
  if (/^(Expired|RequestExpired)/.test(name)) {
    const what = "the AWS credentials have expired: renew them";
    return { kind: "blocked", message: what, credentials: true };
  }
  if (/^(UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken)/.test(name)) {
    const what = `AWS does not know these credentials: check the key, its session token and ` +
      `whether it is valid in ${region}`;
    return { kind: "blocked", message: what, credentials: true };
  }
  if (
    /^(InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|RequestTimeTooSkewed)/.test(name)
  ) {
    // The SDK has taken the service's time over: the next request will be right.
    if ($metadata?.clockSkewCorrected) {
      return { kind: "failed", message: "this machine's clock is wrong by minutes: set it" };
    }
    const what = "AWS refuses the signature: check the secret key, the region and the clock";
    return { kind: "blocked", message: what, credentials: true };
  }
  if (/^ResourceNotFound/.test(name)) {
    const what = `there is no ${its}: create it, or name another by -k REGION:NAME`;
    return { kind: "blocked", message: what };
  }
  if (/^InvalidSource/.test(name)) {
    const what = `${its} takes records from another stream only: name one with source Direct PUT`;
    return { kind: "blocked", message: what };
  }
  if (/KMS/.test(name)) {
    return { kind: "blocked", message: `the encryption key of ${its} cannot be used: enable it` };
  }
  if (
    $retryable?.throttling || status === 429 || /Throttl|LimitExceeded|TooManyRequests/.test(name)
  ) {
    return { kind: "failed", message: `${its} is throttled: its limits are reached` };
  }
  if (
    /^(AccessDenied|NotAuthorized|OptInRequired|MissingAuthentication)/.test(name) || status === 403
  ) {
    const what = `access to ${its} is denied: allow these credentials firehose:PutRecordBatch`;
    return { kind: "blocked", message: what, credentials: true };
  }
  if (/^ServiceUnavailable/.test(name) || status >= 500) {
    return { kind: "failed", message: `Firehose in ${region} fails (${status} ${name})` };
  }
  if (Object.hasOwn(NETWORK, code)) {
    return { kind: "failed", message: `Firehose in ${region} cannot be reached: ${NETWORK[code]}` };
  }
  if (/Timeout/i.test(name) || name === "AbortError") {
    return { kind: "failed", message: `Firehose in ${region} gave no answer in time` };
  }
  if (/CERT|SIGNED|TLS|SSL/.test(code)) {
    const what = `the certificate of Firehose in ${region} is not accepted (${code})`;
    return { kind: "failed", message: what };
  }
  if (status >= 400 && status !== 400 && status !== 413) {
    const what = `what answers is not Firehose (${status}): check AWS_ENDPOINT_URL_FIREHOSE`;
    return { kind: "blocked", message: what };
  }
  if (status >= 400) {
    return { kind: "invalid", message: `Firehose refuses records as invalid (${status} ${name})` };
  }
  if (/invalid url|endpoint/i.test(String(message))) {
    const what = "the address of Firehose is no URL: check AWS_ENDPOINT_URL_FIREHOSE";
    return { kind: "blocked", message: what };
  }
  return {
    kind: "failed",
    message: `the request to Firehose failed (${code || name || "unknown"})`,
  };
}

function identifier(value: unknown): string {
  return typeof value === "string" && /^[\w.:-]{1,80}$/.test(value) ? value : "";
}
