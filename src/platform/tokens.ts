/** The secret that both ends of a connection know. It is never logged, nor part of a message. */
import { Failure } from "./failure.ts";
import { watchFiles } from "./watched-files.ts";

const MAX_TOKENS = 16;
const LEAST_BYTES = 16;
const MOST_BYTES = 1024;

/** Where the secret is. */
export interface TokenSource {
  /** A file: one token a line. */
  tokenFile: string | undefined;
  /** The variable that has it where there is no file. */
  variable: "SERVER_TOKEN" | "CLIENT_TOKEN";
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the tokens, and follows the file when it is replaced: what is returned gives those of now.
 * Undefined where none are wanted. Throws a Failure where they cannot be had.
 */
export function watchTokens(
  { tokenFile, variable, env }: TokenSource,
  { warn, info }: { warn: (message: string) => void; info: (message: string) => void },
): (() => readonly Uint8Array[]) | undefined {
  const warnIfShort = (tokens: readonly Uint8Array[], where: string): void => {
    if (tokens.every(({ byteLength }) => byteLength >= LEAST_BYTES)) return;
    warn(`${where} has a token below ${LEAST_BYTES} bytes: who hears a handshake may guess it`);
  };
  try {
    if (tokenFile === undefined) {
      const text = env[variable] ?? "";
      if (text === "") return undefined;
      const tokens = readTokens(text, variable);
      warnIfShort(tokens, variable);
      return () => tokens;
    }
    const watched = watchFiles({
      paths: [tokenFile],
      load: (read) => readTokens(read(tokenFile), tokenFile),
      changed(tokens) {
        info("the tokens have been read again");
        warnIfShort(tokens, tokenFile);
      },
      failed: (reason) => warn(`the new tokens are not taken, the old ones stay: ${reason}`),
    });
    warnIfShort(watched.current, tokenFile);
    return () => watched.current;
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

/** One a line; what surrounds it, and empty lines, do not count. */
function readTokens(text: string, where: string): Uint8Array[] {
  const tokens = text.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    .map((line) => new TextEncoder().encode(line));
  if (tokens.length === 0) throw new Error(`${where} holds no token`);
  if (tokens.length > MAX_TOKENS) throw new Error(`${where} holds more than ${MAX_TOKENS} tokens`);
  if (tokens.some(({ byteLength }) => byteLength > MOST_BYTES)) {
    throw new Error(`${where} holds a token of more than ${MOST_BYTES} bytes`);
  }
  return tokens;
}
