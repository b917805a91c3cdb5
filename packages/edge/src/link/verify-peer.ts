import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AppError, formatMicros, type Micros } from "@penstock/model";

/**
 * Checks a server's certificates by our own clock, which never stands below the last time on disk or the build date, so
 * that a gateway whose machine starts in 1970 still knows whom it talks to. A start of validity in our future is taken as
 * news about the time, not as a fault: who signed it was there. An end in our past is a fault.
 *
 * @param options.chain as the server sent it, its own certificate first
 * @param options.trust the pinned CAs
 * @param options.now floored wall clock
 * @throws AppError "link/certificate-refused" with the reason
 * @source RFC 5280, 6.1 (path validation); RFC 9525 (names)
 */
export function verifyPeer(options: {
  readonly chain: readonly X509Certificate[];
  readonly trust: readonly X509Certificate[];
  readonly host: string;
  readonly now: Micros;
}): void {
  const { chain, trust, host, now } = options;
  const [leaf] = chain;
  if (leaf === undefined) refuse(host, "it sent no certificate");
  if (leaf.ca) refuse(host, "it sent a CA's certificate as its own");
  const isNamed = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
  if (isNamed === undefined) refuse(host, `its certificate is for ${leaf.subjectAltName ?? "no name"}`);
  // id-kp-serverAuth: a node certificate of the same CA must not pass for the cloud.
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes("1.3.6.1.5.5.7.3.1"))
    refuse(host, "its certificate is not for a server");
  let current = leaf;
  for (let depth = 0; depth < 5; depth++) {
    checkEnd(current, host, now);
    const anchor = trust.find((ca) => isIssuedBy(current, ca));
    if (anchor !== undefined) {
      checkEnd(anchor, host, now);
      return;
    }
    const between = chain.find((ca) => ca !== current && isIssuedBy(current, ca));
    if (between === undefined)
      refuse(host, `its certificate was issued by "${oneLine(current.issuer)}", not by our CA`);
    current = between;
  }
  refuse(host, "its chain of certificates is too long");
}

function isIssuedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

function checkEnd(certificate: X509Certificate, host: string, now: Micros): void {
  const end = (Date.parse(certificate.validTo) * 1000) as Micros;
  if (end < now) refuse(host, `certificate of "${oneLine(certificate.subject)}" ended at ${formatMicros(end)}`);
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}

function refuse(host: string, why: string): never {
  throw new AppError("link/certificate-refused", `Cannot trust "${host}": ${why}`);
}
