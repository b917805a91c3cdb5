import { createPublicKey, X509Certificate } from "node:crypto";
import { AppError, type Micros, type NodeUid, type TenantUid } from "@penstock/model";
import { type Files, writeFile } from "@penstock/runtime";
import type { CertificateLife } from "./renewal.ts";

/** What joining left in the gateway's data folder: identity.json, node.key, node.crt, trust.pem. */
export interface Identity {
  readonly tenant: { readonly uid: TenantUid; readonly name: string };
  readonly node: { readonly uid: NodeUid; readonly name: string };
  /** where the cloud is, as given when joining */
  readonly cloud: { readonly host: string; readonly port: number };
}
export interface Credentials {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly trustBundlePem: string;
}

export interface IdentityFolder {
  readonly identity: Identity;
  credentials(): Credentials;
  life(): CertificateLife;
  /** durable when it resolves. @throws AppError "link/certificate-refused" when it is not for our key */
  renew(certificate: { readonly certificatePem: string; readonly trustBundlePem: string }): Promise<void>;
}

/** @returns null when this gateway has not joined yet */
export async function openIdentity(options: { files: Files; folder: string }): Promise<IdentityFolder | null> {
  const { files, folder } = options;
  if (!(await files.exists(`${folder}/identity.json`))) return null;
  const text = async (name: string) => new TextDecoder().decode(await files.readAll(`${folder}/${name}`));
  // Written by `saveIdentity` only.
  const identity = JSON.parse(await text("identity.json")) as Identity;
  let credentials: Credentials = {
    keyPem: await text("node.key"),
    certificatePem: await text("node.crt"),
    trustBundlePem: await text("trust.pem"),
  };
  const ownKey = createPublicKey(credentials.keyPem).export({ type: "spki", format: "der" });
  return {
    identity,
    credentials: () => credentials,
    life() {
      const certificate = new X509Certificate(credentials.certificatePem);
      return {
        publicKeyDer: new Uint8Array(ownKey),
        notBefore: (Date.parse(certificate.validFrom) * 1000) as Micros,
        notAfter: (Date.parse(certificate.validTo) * 1000) as Micros,
      };
    },
    async renew({ certificatePem, trustBundlePem }) {
      const key = new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
      if (!key.equals(ownKey))
        throw new AppError("link/certificate-refused", "Cannot take the renewed certificate: it is not for our key");
      await writeFile({ files, folder, name: "trust.pem", bytes: trustBundlePem });
      await writeFile({ files, folder, name: "node.crt", bytes: certificatePem });
      credentials = { ...credentials, certificatePem, trustBundlePem };
    },
  };
}

/** identity.json comes last: with it the gateway has joined, without it the rest counts for nothing. */
export async function saveIdentity(options: {
  readonly files: Files;
  readonly folder: string;
  readonly identity: Identity;
  readonly credentials: Credentials;
}): Promise<void> {
  const { files, folder, credentials } = options;
  await files.makeFolder(folder);
  await writeFile({ files, folder, name: "node.key", bytes: credentials.keyPem, isSecret: true });
  await writeFile({ files, folder, name: "node.crt", bytes: credentials.certificatePem });
  await writeFile({ files, folder, name: "trust.pem", bytes: credentials.trustBundlePem });
  const json = `${JSON.stringify(options.identity, null, 2)}\n`;
  await writeFile({ files, folder, name: "identity.json", bytes: json });
}
