/**
 * Where this process runs: the AWS region and availability zone, for names and records.
 *
 * Sources: the task metadata endpoint of ECS (version 4) and the instance metadata service of EC2
 * (IMDSv2, which wants a token first).
 */

import { type Ask, createAsk, type Fetch } from "./metadata.ts";

/** What is not known is `any`, as in a name: `client-any`. */
export interface Place {
  region: string;
  zone: string;
}

/** What one source knows. */
type Findings = { [Part in keyof Place]?: string | undefined };

const UNKNOWN = "any";
const IMDS = "http://169.254.169.254";

/**
 * Finds region and zone. The region comes from `AWS_REGION`, `AWS_DEFAULT_REGION`, the task's
 * ARN, or the instance metadata service; the zone from the latter two. Never throws: a service
 * that is missing, silent or babbles counts as unknown.
 *
 * `AWS_EC2_METADATA_SERVICE_ENDPOINT` and `AWS_EC2_METADATA_DISABLED` mean what they mean to the
 * AWS SDKs.
 *
 * @param wanted what the caller needs: where the environment tells it, nobody is asked
 * @param timeoutMs for everything together, so that a machine elsewhere does not hang
 */
export async function findPlace(
  { env, fetch, timeoutMs, wanted = ["region", "zone"] }: {
    env: Readonly<Record<string, string | undefined>>;
    fetch: Fetch;
    timeoutMs: number;
    wanted?: readonly (keyof Place)[];
  },
): Promise<Place> {
  const found: Findings = {};
  const take = (more: Findings) => {
    found.region ??= more.region;
    found.zone ??= more.zone;
  };
  const isMissing = () => wanted.some((part) => found[part] === undefined);

  take({ region: plausible(env["AWS_REGION"]) ?? plausible(env["AWS_DEFAULT_REGION"]) });
  const sources = [askTask, askInstance];
  for (const ask of sources) {
    if (!isMissing()) break;
    // Each has its share of the time: a silent one leaves the other its own.
    take(await ask(env, createAsk(fetch, AbortSignal.timeout(timeoutMs / sources.length))));
  }
  return { region: found.region ?? UNKNOWN, zone: found.zone ?? UNKNOWN };
}

/** Replaces `%region%`, `%zone%` and `%route%` in a name; what is not given stays as it stands. */
export function fillName(
  template: string,
  { region, zone, route }: { region?: string; zone?: string; route?: string },
): string {
  const values: Record<string, string | undefined> = { region, zone, route };
  return template.replace(/%(region|zone|route)%/g, (whole, key: string) => values[key] ?? whole);
}

/** What of a place a name needs: nothing, for a name without placeholders. */
export function placesIn(template: string): (keyof Place)[] {
  return (["region", "zone"] as const).filter((part) => template.includes(`%${part}%`));
}

async function askTask(
  env: Readonly<Record<string, string | undefined>>,
  ask: Ask,
): Promise<Findings> {
  const base = env["ECS_CONTAINER_METADATA_URI_V4"];
  if (!base) return {};
  const text = await ask(`${base}/task`);
  try {
    const task: unknown = JSON.parse(text ?? "null");
    if (typeof task !== "object" || task === null) return {};
    const { TaskARN, AvailabilityZone } = task as Record<string, unknown>;
    // arn:aws:ecs:REGION:ACCOUNT:task/…
    const region = typeof TaskARN === "string" ? TaskARN.split(":")[3] : undefined;
    return { region: plausible(region), zone: plausible(AvailabilityZone) };
  } catch {
    return {};
  }
}

async function askInstance(
  env: Readonly<Record<string, string | undefined>>,
  ask: Ask,
): Promise<Findings> {
  if (env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") return {};
  const base = (env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || IMDS).replace(/\/+$/, "");
  const token = await ask(`${base}/latest/api/token`, {
    method: "PUT",
    headers: { "X-aws-ec2-metadata-token-ttl-seconds": "60" },
  });
  if (token === undefined) return {};
  const placement = (part: string) =>
    ask(`${base}/latest/meta-data/placement/${part}`, {
      headers: { "X-aws-ec2-metadata-token": token },
    });
  const [region, zone] = await Promise.all([placement("region"), placement("availability-zone")]);
  return { region: plausible(region), zone: plausible(zone) };
}

/** A region or a zone as AWS writes them, or undefined: an error page is no region. */
function plausible(text: unknown): string | undefined {
  return typeof text === "string" && /^[a-z]{2}(-[a-z0-9]+){2,6}$/.test(text) && text.length <= 40
    ? text
    : undefined;
}
