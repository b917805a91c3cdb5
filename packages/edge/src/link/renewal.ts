import type { Micros } from "@penstock/model";

/** What the link needs to know of the node's own certificate. */
export interface CertificateLife {
  readonly publicKeyDer: Uint8Array;
  readonly notBefore: Micros;
  readonly notAfter: Micros;
}

/** Renewed at two thirds of its life. */
export function isRenewalDue(life: CertificateLife, now: Micros): boolean {
  return now - life.notBefore >= ((life.notAfter - life.notBefore) * 2) / 3;
}
