/** Errors of the network, in words that say what to look at. */

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the port is taken by another program",
  EADDRNOTAVAIL: "this machine has no such address",
  EAI_AGAIN: "the name could not be resolved (the resolver does not answer)",
  ECONNABORTED: "connection aborted",
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to the host",
  EMFILE: "no file descriptors left",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "no such host",
  EPIPE: "connection closed",
  ETIMEDOUT: "timed out",
};

/** What went wrong, for people. Several attempts (IPv4 and IPv6) that failed alike are one. */
export function describeNetworkError(error: Error): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map(describeNetworkError))].join("; ");
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  return WORDS[code] ?? code;
}
