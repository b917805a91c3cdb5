import { createHash, type X509Certificate } from "node:crypto";
import { AppError, type NodeUid, type TenantUid } from "@penstock/model";
import type { Peer } from "./run-session.ts";

const idUri = /^URI:penstock:\/\/([0-9A-Za-z-]{1,64})\/([0-9A-Za-z-]{1,64})$/;

/**
 * Who a verified node certificate names: its URI is `penstock://<tenant uid>/<node uid>`.
 *
 * @param certificate one whose chain TLS has verified
 * @throws AppError "link/not-authorized" when it names no node, or more than one
 */
export function nodeIdentity(certificate: X509Certificate, remote: string): Peer {
  // Node prints the names as "URI:a, URI:b", quoting any that could be mistaken for two.
  const names = certificate.subjectAltName?.split(", ") ?? [];
  const match = names.length === 1 ? idUri.exec(names[0]!) : null;
  if (match === null)
    throw new AppError("link/not-authorized", `Cannot take connection of ${remote}: its certificate names no node`);
  return {
    tenant: match[1] as TenantUid,
    node: match[2] as NodeUid,
    fingerprint: createHash("sha256").update(certificate.raw).digest("hex"),
    remote,
  };
}
