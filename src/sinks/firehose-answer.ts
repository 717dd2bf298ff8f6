/** What Firehose, or something in its place, answers to a request. */
import type { PutOutcome } from "./firehose-put.ts";

const STRANGER = "what answers is not Firehose: check its address";
/** Of error codes, shown to users. */
const CODE = /^\w{1,64}$/;

/**
 * Which of so many records were refused, as a PutRecordBatch answer tells. One that contradicts
 * itself shows of no record that it is safe.
 *
 * @param answer as parsed from JSON: anything
 */
export function readAnswer(answer: unknown, records: number): PutOutcome {
  const { FailedPutCount: failed, RequestResponses: responses } = Object(answer) as Record<
    string,
    unknown
  >;
  if (failed === 0) return { kind: "answered", refused: [] };
  if (!Array.isArray(responses) || responses.length !== records) {
    return { kind: "failed", message: STRANGER };
  }
  const refused: number[] = [];
  const codes = new Set<string>();
  responses.forEach((response, index) => {
    const { ErrorCode: code } = Object(response) as { ErrorCode?: unknown };
    if (!code) return;
    refused.push(index);
    codes.add(typeof code === "string" && CODE.test(code) ? code : "unknown");
  });
  if (failed !== refused.length) return { kind: "failed", message: STRANGER };
  return {
    kind: "answered",
    refused,
    message: `Firehose refuses some records (${[...codes].join(", ")})`,
  };
}
