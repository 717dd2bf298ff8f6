/** Certificates and keys from files, looked at before they are used, and again when they change. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Failure } from "./failure.ts";
import { type WatchedFiles, watchFiles } from "./watched-files.ts";

/** Where certificates are; undefined: there are none of these. */
export interface CertificatePaths {
  tlsCert: string | undefined;
  tlsKey: string | undefined;
  /** Authorities. */
  tlsCa: string | undefined;
}

/** What the files hold, in PEM. */
export interface Certificates {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads certificates, and follows them when they are replaced: `changed` gets the new ones, and
 * `warn` hears why what is there now is not taken. Throws a Failure where the first are not good.
 */
export function watchCertificates(
  { tlsCert, tlsKey, tlsCa }: CertificatePaths,
  { changed, warn }: {
    changed: (certificates: Certificates) => void;
    warn: (message: string) => void;
  },
): WatchedFiles<Certificates> {
  const paths = { cert: tlsCert, key: tlsKey, ca: tlsCa };
  try {
    const watched = watchFiles({
      paths: Object.values(paths).filter((path) => path !== undefined),
      load: (read) => checkCertificates(paths, read),
      changed(certificates) {
        warnIfExpired(certificates);
        changed(certificates);
      },
      failed: (reason) => warn(`the new certificates are not taken, the old ones stay: ${reason}`),
    });
    warnIfExpired(watched.current);
    return watched;
  } catch (error) {
    throw new Failure((error as Error).message);
  }

  function warnIfExpired({ cert }: Certificates): void {
    if (cert === undefined) return;
    const [own] = cert.match(CERTIFICATE) ?? [];
    const { validTo } = new X509Certificate(own!);
    if (Date.parse(validTo) < Date.now()) warn(`${tlsCert} has expired on ${validTo}`);
  }
}

/**
 * Takes the contents of the files that are there. Throws, in words for people, where one is not
 * what it should be, or a key does not belong to its certificate.
 */
function checkCertificates(
  paths: Record<keyof Certificates, string | undefined>,
  read: (path: string) => string,
): Certificates {
  const certificates: Certificates = Object.fromEntries(
    Object.entries(paths).filter(([, path]) => path !== undefined)
      .map(([kind, path]) => [kind, read(path!)]),
  );
  const { cert, key, ca } = certificates;
  const own = cert === undefined ? undefined : firstCertificate(cert, paths.cert!);
  if (ca !== undefined) firstCertificate(ca, paths.ca!);
  if (key !== undefined && own?.checkPrivateKey(readKey(key, paths.key!)) === false) {
    throw new Error(`the key ${paths.key} does not belong to the certificate ${paths.cert}`);
  }
  return certificates;
}

/** The first of those in a file; all of them have to be readable. */
function firstCertificate(pem: string, path: string): X509Certificate {
  try {
    const [first] = (pem.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
    if (first !== undefined) return first;
  } catch {
    // As one that is not there.
  }
  throw new Error(`${path} holds no certificate in PEM`);
}

function readKey(pem: string, path: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${path} holds no private key in PEM without a passphrase`);
  }
}
