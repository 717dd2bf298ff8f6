/**
 * The proxy as a process of its own, for tests that need its delays to be precise while they are
 * busy themselves. Its argument is the options as JSON. It prints `{"port":…}`, and at the end of
 * its stdin what it really gave: `{"up":[[arrivedUs,forwardedUs,bytes],…],"down":[…]}`.
 */
import { createDelayProxy } from "./proxy.ts";

const proxy = await createDelayProxy(JSON.parse(process.argv[2]!));
process.stdout.write(`${JSON.stringify({ port: proxy.port })}\n`);
process.stdin.resume();
process.stdin.on("end", async () => {
  await proxy.close();
  process.stdout.write(`${JSON.stringify(proxy.given)}\n`);
});
