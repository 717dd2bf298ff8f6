/** Options of the HTTP service: the same for client and server. */

import { readFileSync } from "node:fs";
import { Failure } from "../platform/failure.ts";
import { host, ipVersion, listeningPort } from "./addresses.ts";
import { quote } from "./escape.ts";
import { flag, value } from "./option.ts";
import { type Parsed, path, type ValueType } from "./values.ts";

export const HTTP = "Dashboard and metrics";

/** Where HTTP is served. */
export interface HttpAddress {
  host: string;
  port: number;
}

/** `PORT` of this machine, or `HOST:PORT`. */
export const httpAddress: ValueType<HttpAddress> = {
  placeholder: "[HOST:]PORT",
  parse(text): Parsed<HttpAddress> {
    const colon = text.lastIndexOf(":");
    const hostText = colon < 0 ? "127.0.0.1" : text.slice(0, colon);
    const isBare = !hostText.startsWith("[") && hostText.includes(":");
    if (isBare || (colon < 0 && ipVersion(text) !== 0)) {
      return { problem: `${quote(text)} is not [HOST:]PORT; IPv6 is written [ADDRESS]:PORT` };
    }
    const parsedHost = host.parse(hostText);
    if ("problem" in parsedHost) return parsedHost;
    const port = listeningPort.parse(text.slice(colon + 1));
    if ("problem" in port) return { problem: `port of ${quote(text)}: ${port.problem}` };
    return { value: { host: parsedHost.value, port: port.value } };
  },
};

/** @param serves what there is to see at this program */
export function httpOptions(prefix: "CLIENT" | "SERVER", serves: string) {
  return {
    http: value(httpAddress, {
      group: HTTP,
      help: `Serves ${serves} over HTTP; on this machine alone unless HOST says otherwise. ` +
        "Port 0 takes any free one, which the log names.",
    }),
    "http-token-file": value({ ...path, placeholder: "FILE" }, {
      group: HTTP,
      help: "File with the token that whoever asks must bring, as bearer or, for the page, as " +
        `?token=…. ${prefix}_HTTP_TOKEN holds the token itself.`,
    }),
    "http-open": flag({
      group: HTTP,
      help: "Serves other machines without a token.",
    }),
  } as const;
}

/** A token is long enough not to be guessed, and can stand in a header. */
const TOKEN = /^[\x21-\x7e]{16,512}$/;

/**
 * The token: of the file, else of the variable; undefined where there is none. It is no part of
 * the configuration, which is logged. Throws a Failure that does not quote it.
 */
export function readHttpToken(
  file: string | undefined,
  prefix: "CLIENT" | "SERVER",
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const variable = `${prefix}_HTTP_TOKEN`;
  const text = file === undefined ? env[variable] : readToken(file);
  if (text === undefined || (file === undefined && text === "")) return undefined;
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  const where = file === undefined ? variable : `--http-token-file ${file}`;
  throw new Failure(`${where} holds no token: 16 to 512 characters of ASCII, without spaces`);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(`cannot read --http-token-file ${file}: ${code ?? "it failed"}`);
  }
}

/** What stands alone and does nothing; the warnings. */
export function httpWarnings(
  values: { http: HttpAddress | undefined; httpOpen: boolean; httpTokenFile: string | undefined },
): string[] {
  if (values.http !== undefined) return [];
  return [
    ...(values.httpOpen ? ["--http-open has no effect without --http"] : []),
    ...(values.httpTokenFile === undefined
      ? []
      : ["--http-token-file has no effect without --http"]),
  ];
}
