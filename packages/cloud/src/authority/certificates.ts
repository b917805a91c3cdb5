import { createHash, X509Certificate as NodeCertificate, type webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { Micros, NodeUid, TenantUid } from "@penstock/model";
import * as x509 from "./x509.ts";

/** Certificates are ECDSA P-256 with SHA-256. @source RFC 5280 (profile), RFC 5480 (keys) */
export const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;
const dayMicros = 86_400_000_000;
export const caDays = 3650;
export const serverDays = 365;
export const nodeDays = 30;
/** Gateways' clocks are a little behind now and then. */
const earlierMicros = 3_600_000_000;

export type KeyPair = webcrypto.CryptoKeyPair;

export interface Issuer {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

/** @param now certificate times have whole seconds */
function life(now: Micros, days: number) {
  return {
    notBefore: new Date(Math.floor((now - earlierMicros) / 1000)),
    notAfter: new Date(Math.floor((now + days * dayMicros) / 1000)),
  };
}

export function generateKeys(): Promise<KeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
}

export async function makeCa(options: {
  keys: KeyPair;
  name: string;
  serial: string;
  now: Micros;
}): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned({
    keys: options.keys,
    name: `CN=${options.name}`,
    serialNumber: options.serial,
    ...life(options.now, caDays),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(options.keys.publicKey),
    ],
  });
}

/** @param options.names DNS names and IP addresses under which gateways and people reach the cloud */
export async function makeServerCertificate(options: {
  issuer: Issuer;
  publicKey: webcrypto.CryptoKey;
  names: readonly string[];
  serial: string;
  now: Micros;
}): Promise<x509.X509Certificate> {
  const names = options.names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  return sign({
    ...options,
    subject: [{ CN: ["penstock"] }],
    days: serverDays,
    usage: x509.ExtendedKeyUsage.serverAuth,
    names,
  });
}

/** Names are the uids, so that renaming a tenant or node needs no new certificate. */
export async function makeNodeCertificate(options: {
  issuer: Issuer;
  publicKey: webcrypto.CryptoKey;
  tenant: TenantUid;
  node: NodeUid;
  serial: string;
  now: Micros;
}): Promise<x509.X509Certificate> {
  return sign({
    ...options,
    subject: [{ CN: [options.node] }, { O: [options.tenant] }],
    days: nodeDays,
    usage: x509.ExtendedKeyUsage.clientAuth,
    names: [{ type: "url", value: `penstock://${options.tenant}/${options.node}` }],
  });
}

async function sign(options: {
  issuer: Issuer;
  publicKey: webcrypto.CryptoKey;
  subject: x509.JsonName;
  days: number;
  usage: x509.ExtendedKeyUsage;
  names: { type: "dns" | "ip" | "url"; value: string }[];
  serial: string;
  now: Micros;
}): Promise<x509.X509Certificate> {
  const { issuer, publicKey } = options;
  return x509.X509CertificateGenerator.create({
    issuer: issuer.certificate.subject,
    subject: options.subject,
    serialNumber: options.serial,
    ...life(options.now, options.days),
    signingAlgorithm,
    signingKey: issuer.key,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([options.usage], false),
      new x509.SubjectAlternativeNameExtension(options.names, false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
}

export function importPublicKey(der: Uint8Array): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey("spki", new Uint8Array(der), keyAlgorithm, true, ["verify"]);
}

export async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), keyAlgorithm, true, ["sign"]);
}

export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

export function certificatePem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

/** SHA-256 of the whole certificate (DER), lower-case hex. */
export function fingerprintOf(certificatePem: string): string {
  return createHash("sha256").update(new NodeCertificate(certificatePem).raw).digest("hex");
}
