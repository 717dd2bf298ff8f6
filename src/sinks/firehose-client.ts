/**
 * Firehose by the AWS SDK, which finds credentials, endpoint and proxy its own way. It loads when a
 * client is made: programs without a delivery stream never pay for it.
 */
import type { FirehoseClient, FirehoseClientConfig } from "@aws-sdk/client-firehose";
import { Failure } from "../platform/failure.ts";
import { readAnswer } from "./firehose-answer.ts";
import { describeSdkError } from "./firehose-errors.ts";
import type { Put, PutOutcome } from "./firehose-put.ts";
import { MAX_IN_FLIGHT } from "./firehose-sender.ts";

const CONNECT_MS = 5000;
const ANSWER_MS = 15_000;

export interface FirehoseClientOptions {
  /** Name of the delivery stream. */
  stream: string;
  /** As the user wrote it. */
  region?: string | undefined;
  /** Where this machine is; where nothing was said. */
  placeRegion?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * The region is the one given, else that of `AWS_REGION` or `AWS_DEFAULT_REGION`, of the machine,
 * or of the profile.
 *
 * @throws Failure where none of these tells a region
 */
export async function createFirehosePut(
  { stream, region, placeRegion, env }: FirehoseClientOptions,
): Promise<{ put: Put; region: string }> {
  const { FirehoseClient, PutRecordBatchCommand } = await import("@aws-sdk/client-firehose");
  const agent = { keepAlive: true, maxSockets: MAX_IN_FLIGHT };
  const silence = (): void => {};
  const config: FirehoseClientConfig & { ignoreCache: boolean } = {
    // The sender decides what is sent again, and when.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // It would write to the console.
    logger: { debug: silence, info: silence, warn: silence, error: silence },
    // Reaches the providers of credentials: a new client reads the profile's files again.
    ignoreCache: true,
  };
  const chosen = region || env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || placeRegion;
  if (chosen) config.region = chosen;
  let client: FirehoseClient | undefined = new FirehoseClient(config);
  const itsRegion = await client.config.region().catch(() => {
    throw new Failure(
      `the region of delivery stream ${stream} is not known: ` +
        `write -k REGION:${stream}, or set AWS_REGION`,
    );
  });
  config.region = itsRegion;

  const put = async (
    records: readonly Uint8Array[],
    abortSignal: AbortSignal,
  ): Promise<PutOutcome> => {
    const mine = client ??= new FirehoseClient(config);
    try {
      const answer = await mine.send(
        new PutRecordBatchCommand({
          DeliveryStreamName: stream,
          Records: records.map((Data) => ({ Data })),
        }),
        { abortSignal },
      );
      return readAnswer(answer, records.length);
    } catch (error) {
      const { credentials, ...outcome } = describeSdkError(error, {
        stream,
        region: itsRegion,
        profile: env["AWS_PROFILE"],
      });
      // A client keeps the credentials that it found; a new one finds those that were renewed.
      if (credentials && client === mine) {
        client = undefined;
        mine.destroy();
      }
      return outcome;
    }
  };
  return { put, region: itsRegion };
}
