/** Asks the server on this machine whether it serves: by a real hello, flagged as a probe. */
import { createFrameSplitter, FrameType, MAX_CONTROL_BYTES, type Region } from "../relay/frame.ts";
import { PROCESS_ID_BYTES, SESSION_ID_BYTES, writeHello } from "../relay/hello.ts";
import { readWelcome } from "../relay/welcome.ts";
import { createTicker } from "../platform/ticker.ts";
import type { Link, LinkEvents, TransportName } from "../relay/link.ts";
import { connectTcp, type Family } from "../transport/tcp.ts";
import { connectTls } from "../transport/tls.ts";
import { connectUdp } from "../transport/udp.ts";

const TIMEOUT_MS = 3_000;

/** Addresses, not a name: a container may have no file of hosts, nor anyone to ask for one. */
const LOOPBACKS = { ipv4: "127.0.0.1", ipv6: "::1" };

/** Where the server of this configuration is to be asked, in this order until one answers. */
export function hostsToAsk(
  { host, ipv4, ipv6 }: { host: string | undefined; ipv4: boolean; ipv6: boolean },
): string[] {
  if (host !== undefined) return [host];
  return [...ipv6 ? [] : [LOOPBACKS.ipv4], ...ipv4 ? [] : [LOOPBACKS.ipv6]];
}

/** How to ask. */
export interface HealthQuestion {
  host: string;
  port: number;
  family: Family;
  transport: TransportName;
  /** Over TLS. Any certificate is taken: nothing is told, and nothing asked but whether it serves. */
  tls: boolean;
}

/**
 * Resolves with the server's name, empty where it tells that to trusted clients only; rejects with
 * why it does not serve.
 */
export function askHealth(at: HealthQuestion): Promise<string> {
  const to = { ...at, bind: undefined, timeoutMs: TIMEOUT_MS };
  const signal = new AbortController().signal;
  return new Promise((resolve, reject) => {
    const opened = (link: Link): LinkEvents => {
      const splitter = createFrameSplitter(MAX_CONTROL_BYTES);
      const timer = setTimeout(() => {
        reject(new Error(`no welcome within ${TIMEOUT_MS / 1000} s`));
        link.destroy();
      }, TIMEOUT_MS);
      link.write([writeProbe()]);
      return {
        data(chunk) {
          try {
            splitter.push(chunk, 0);
            const region = splitter.next();
            if (region === undefined) return;
            resolve(readName(region));
          } catch (error) {
            reject(error);
          }
          link.destroy();
        },
        written() {},
        closed(error) {
          clearTimeout(timer);
          reject(error ?? new Error("it closed the connection"));
        },
      };
    };
    const nowUs = (): number => performance.now() * 1000;
    const unwatched = { socketOpened() {}, socketClosed() {} };
    const connected = at.transport === "udp"
      ? connectUdp(to, signal, opened, { nowUs, createTicker, ...unwatched })
      : at.tls
      ? connectTls(to, signal, opened, {
        credentials: {},
        serverName: undefined,
        trustsAnyone: true,
      })
      : connectTcp(to, signal, opened);
    connected.catch(reject);
  });
}

/** The server's name, of its welcome. */
function readName({ bytes, view, start }: Region): string {
  if (view.getUint8(start + 4) !== FrameType.welcome) throw new Error("no welcome");
  return readWelcome(bytes.subarray(start, start + view.getUint32(start, true))).name;
}

function writeProbe(): Uint8Array {
  return writeHello({
    probe: true,
    echo: false,
    processId: new Uint8Array(PROCESS_ID_BYTES),
    previousSession: new Uint8Array(SESSION_ID_BYTES),
    maxPayloadBytes: 0,
    flow: 0,
    mode: "paced",
    name: "health",
    route: "",
    prefix: "",
  });
}
