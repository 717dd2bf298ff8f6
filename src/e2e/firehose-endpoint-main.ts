/**
 * The endpoint as a process of its own, for tests that load it or kill what sends to it. Its
 * argument is the options as JSON. It prints `{"port":…,"url":…}`; each line of its stdin is a
 * command, answered by a line with the counts: `{"faults":{…}}`, `{"listening":false}`,
 * `{"listening":true}`, `{}` for the counts alone. It ends with its stdin.
 */
import { createInterface } from "node:readline";
import { createFirehoseEndpoint, type Faults } from "./firehose-endpoint.ts";

const endpoint = await createFirehoseEndpoint(JSON.parse(process.argv[2] ?? "{}"));
const print = (document: unknown): void =>
  void process.stdout.write(`${JSON.stringify(document)}\n`);
print({ port: endpoint.port, url: endpoint.url });
for await (const line of createInterface({ input: process.stdin })) {
  const { faults, listening }: { faults?: Faults; listening?: boolean } = JSON.parse(line);
  if (faults !== undefined) endpoint.setFaults(faults);
  if (listening === true) await endpoint.accept();
  if (listening === false) await endpoint.refuse();
  print(endpoint.counts());
}
await endpoint.close();
