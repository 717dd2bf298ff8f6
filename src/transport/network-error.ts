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

const UNTRUSTED = "the other end's certificate is of an authority that is not trusted (--tls-ca)";
const NO_TLS = "the other end does not speak TLS";
const SPOILED = "what was sent over TLS was changed on its way";
const NO_COMMON_TLS = "the other end does not speak TLS 1.3";

/** Of certificates and handshakes. */
const TLS_WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the other end's certificate has expired",
  CERT_NOT_YET_VALID: "the other end's certificate is not valid yet",
  CERT_REVOKED: "the other end's certificate has been revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  EPROTO: "the TLS connection broke",
  ERR_SSL_BAD_RECORD_TYPE: NO_TLS,
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: SPOILED,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  "ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC": SPOILED,
  ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC: SPOILED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the other end says that this certificate has expired",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_TLS,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the other end does not trust this certificate's authority",
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_TLS_HANDSHAKE_TIMEOUT: "the TLS handshake took too long",
  INVALID_PURPOSE: "the other end's certificate is not for this purpose",
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** What went wrong, for people. Several attempts (IPv4 and IPv6) that failed alike are one. */
export function describeNetworkError(error: Error): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map(describeNetworkError))].join("; ");
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const { reason = error.message } = error as Error & { reason?: string };
    return `the other end's certificate is for another name (--tls-server-name): ${reason}`;
  }
  return WORDS[code] ?? TLS_WORDS[code] ?? code;
}
