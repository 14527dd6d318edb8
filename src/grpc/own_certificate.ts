import { createPrivateKey, X509Certificate } from "node:crypto";

/** What this side's certificate says of itself. */
export interface OwnCertificate {
  readonly expires: Date;
  /** Who signed it, as `CN=…`. */
  readonly issuer: string;
}

/** Reads the first certificate of a PEM file; `null` where it can't be read here. */
export function readOwnCertificate(pem: string): OwnCertificate | null {
  try {
    const { validTo, issuer } = new X509Certificate(pem);
    return { expires: new Date(validTo), issuer: issuer.trim().replaceAll("\n", ", ") };
  } catch {
    return null;
  }
}

/** Whether a key is the certificate's; a pair that can't be read here is left to TLS. */
export function belongTogether(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return true;
  }
}
