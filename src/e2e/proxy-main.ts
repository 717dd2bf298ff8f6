/**
 * Proxies in a process of their own, for tests that need their delays to be precise while they are
 * busy themselves. Each argument is a proxy's options as JSON. It prints `{"ports":[…]}`, and at the
 * end of its stdin what each really gave: `[{"up":[[arrivedUs,forwardedUs,bytes],…],"down":[…]},…]`.
 */
import { createDelayProxy } from "./proxy.ts";

const options = process.argv.slice(2).map((text) => JSON.parse(text));
const proxies = await Promise.all(options.map(createDelayProxy));
process.stdout.write(`${JSON.stringify({ ports: proxies.map(({ port }) => port) })}\n`);
process.stdin.resume();
process.stdin.on("end", async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  process.stdout.write(`${JSON.stringify(proxies.map(({ given }) => given))}\n`);
});
