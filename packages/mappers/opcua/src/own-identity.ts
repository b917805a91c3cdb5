import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { AppError } from "@penstock/model";
import { crypto_utils as pki } from "node-opcua-client";

export interface OwnIdentity {
  /** DER */
  readonly certificate: Buffer;
  readonly privateKey: ReturnType<typeof pki.makePrivateKeyFromPem>;
  readonly applicationUri: string;
}

const certificateDays = 365 * 20;
const making = new Map<string, Promise<OwnIdentity>>();

/**
 * Key and self-signed certificate of this gateway as an OPC UA application, made at first need: `own/key.pem` (0600) and
 * `own/certificate.pem` in the mapper's folder. Servers must be told to trust the latter.
 */
export function ownIdentity(folder: string): Promise<OwnIdentity> {
  let made = making.get(folder);
  if (made === undefined) {
    made = load(join(folder, "own"));
    making.set(folder, made);
    made.catch(() => making.delete(folder));
  }
  return made;
}

async function load(folder: string): Promise<OwnIdentity> {
  const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  if ((await textOf(certificateFile)) === null) await make(folder, keyFile, certificateFile);
  const [key, certificate] = [await textOf(keyFile), await textOf(certificateFile)];
  try {
    const parsed = new X509Certificate(certificate ?? "");
    if (!parsed.checkPrivateKey(createPrivateKey(key ?? ""))) throw new Error("the key is not that of the certificate");
    const uri = /URI:([^,\s]+)/.exec(parsed.subjectAltName ?? "")?.[1];
    if (uri === undefined) throw new Error("the certificate names no application");
    return {
      certificate: Buffer.from(parsed.raw),
      privateKey: pki.makePrivateKeyFromPem(key ?? ""),
      applicationUri: uri,
    };
  } catch (cause) {
    const text = `Cannot use the gateway's own key and certificate in "${folder}": ${String(cause)}; remove both to have new ones made`;
    throw new AppError("mapper/connect-failed", text, { cause });
  }
}

async function make(folder: string, keyFile: string, certificateFile: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = await pki.generatePrivateKey(2048);
  const { privPem } = await pki.privateKeyToPEM(key);
  // The name must be the only one of its kind: servers tell applications apart by it.
  const applicationUri = `urn:${hostname()}:penstock:${createHash("sha256").update(privPem).digest("hex").slice(0, 16)}`;
  const { cert } = await pki.createSelfSignedCertificate({
    ...{ privateKey: key, applicationUri, dns: [hostname()], subject: `/CN=Penstock/O=${hostname()}` },
    ...{
      notBefore: new Date(0),
      validity: certificateDays + daysSince1970(),
      purpose: pki.CertificatePurpose.ForApplication,
    },
  });
  await writeSynced(keyFile, privPem, 0o600);
  // Last: while it is missing, the next start begins anew.
  await writeSynced(certificateFile, cert, 0o644);
}

/** A gateway's clock may be wrong, so its certificate is valid from the beginning of time. */
function daysSince1970(): number {
  return Math.ceil(Date.now() / 86_400_000);
}

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file = await open(`${path}.new`, "w", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
