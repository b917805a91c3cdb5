import { createPrivateKey, createPublicKey } from "node:crypto";
import { AppError, type Micros, type NodeUid, type TenantUid } from "@penstock/model";
import { type Clock, type Files, type Random, writeFile } from "@penstock/runtime";
import {
  certificatePem,
  fingerprintOf,
  generateKeys,
  type Issuer,
  importPrivateKey,
  importPublicKey,
  type KeyPair,
  makeCa,
  makeNodeCertificate,
  makeServerCertificate,
  privateKeyPem,
} from "./certificates.ts";
import * as x509 from "./x509.ts";

/**
 * The cloud's own certificate authority. At the first start it makes two CAs: one that issues, and a standby whose
 * certificate every gateway already trusts, so that the first can be replaced without visiting a single gateway.
 */
export interface Authority {
  /** SHA-256 of the issuing CA's certificate (DER), lower-case hex; a join token pins it */
  readonly caHash: string;
  /** PEM of all CAs whose node certificates are believed, and that gateways believe */
  readonly trustBundlePem: string;
  /** 30 days for a P-256 key. @throws AppError "input/invalid" when the key is of another kind */
  issueNode(request: {
    readonly tenant: TenantUid;
    readonly node: NodeUid;
    readonly publicKeyDer: Uint8Array;
  }): Promise<IssuedCertificate>;
  /** the one port's own certificate with its chain; made anew when names changed or two thirds of its life are over */
  serverCertificate(names: readonly string[]): Promise<{ readonly keyPem: string; readonly chainPem: string }>;
}
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** SHA-256 of the certificate, lower-case hex */
  readonly fingerprint: string;
  readonly expiresAt: Micros;
  readonly trustBundlePem: string;
}

export interface AuthorityOptions {
  readonly files: Files;
  /** the authority's own folder; made when missing */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Opens the authority, making its CAs at the first start. Keys are readable by their owner alone. */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { files, folder, clock } = options;
  await files.makeFolder(folder);
  const issuer = await loadOrMakeCa(options, "ca-1");
  const standby = await loadOrMakeCa(options, "ca-2");
  const trustBundlePem = certificatePem(issuer.certificate) + certificatePem(standby.certificate);

  async function readServer(names: readonly string[]) {
    if (!(await files.exists(`${folder}/server.crt`)) || !(await files.exists(`${folder}/server.key`))) return null;
    const chainPem = await readText(files, `${folder}/server.crt`);
    const keyPem = await readText(files, `${folder}/server.key`);
    const certificate = new x509.X509Certificate(x509.PemConverter.decodeFirst(chainPem));
    const held = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map(({ value }) => value);
    const isSame = [...(held ?? [])].sort().join() === [...names].sort().join();
    const [from, to] = [certificate.notBefore.getTime(), certificate.notAfter.getTime()];
    const isYoung = clock.now() / 1000 < from + ((to - from) * 2) / 3;
    const isOurs = await certificate.verify({ publicKey: issuer.certificate.publicKey, signatureOnly: true });
    return isSame && isYoung && isOurs && isKeyOf(certificate, keyPem) ? { keyPem, chainPem } : null;
  }

  return {
    caHash: fingerprintOf(certificatePem(issuer.certificate)),
    trustBundlePem,
    async issueNode({ tenant, node, publicKeyDer }) {
      const publicKey = await importPublicKey(publicKeyDer).catch((cause: unknown) => {
        throw new AppError("input/invalid", "Invalid publicKey: must be an ECDSA P-256 public key", { cause });
      });
      const made = await makeNodeCertificate({
        issuer,
        publicKey,
        tenant,
        node,
        serial: serialNumber(options.random),
        now: clock.now(),
      });
      const pem = certificatePem(made);
      return {
        certificatePem: pem,
        fingerprint: fingerprintOf(pem),
        expiresAt: (made.notAfter.getTime() * 1000) as Micros,
        trustBundlePem,
      };
    },
    async serverCertificate(names) {
      const held = await readServer(names);
      if (held !== null) return held;
      const keys = await generateKeys();
      const made = await makeServerCertificate({
        issuer,
        publicKey: keys.publicKey,
        names,
        serial: serialNumber(options.random),
        now: clock.now(),
      });
      // The CA goes along, so that a joining gateway, which knows only its hash, can check the chain.
      const chainPem = certificatePem(made) + certificatePem(issuer.certificate);
      const keyPem = await privateKeyPem(keys.privateKey);
      await writeFile({ files, folder, name: "server.key", bytes: keyPem, isSecret: true });
      await writeFile({ files, folder, name: "server.crt", bytes: chainPem });
      return { keyPem, chainPem };
    },
  };
}

async function loadOrMakeCa(options: AuthorityOptions, name: string): Promise<Issuer> {
  const { files, folder, clock, random } = options;
  // The certificate is written last: without it the key signed nothing yet.
  if (await files.exists(`${folder}/${name}.crt`)) {
    const certificate = new x509.X509Certificate(await readText(files, `${folder}/${name}.crt`));
    return { certificate, key: await importPrivateKey(await readText(files, `${folder}/${name}.key`)) };
  }
  const keys: KeyPair = await generateKeys();
  const serial = serialNumber(random);
  const certificate = await makeCa({
    keys,
    name: `Penstock CA ${serial.slice(0, 8)}`,
    serial,
    now: clock.now(),
  });
  await writeFile({
    files,
    folder,
    name: `${name}.key`,
    bytes: await privateKeyPem(keys.privateKey),
    isSecret: true,
  });
  await writeFile({ files, folder, name: `${name}.crt`, bytes: certificatePem(certificate) });
  return { certificate, key: keys.privateKey };
}

/** RFC 5280, 4.1.2.2: positive, at most 20 bytes, and at least 64 random bits by common rule. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

function isKeyOf(certificate: x509.X509Certificate, keyPem: string): boolean {
  const own = createPublicKey(createPrivateKey(keyPem)).export({ type: "spki", format: "der" });
  return own.equals(new Uint8Array(certificate.publicKey.rawData));
}

async function readText(files: Files, path: string): Promise<string> {
  return new TextDecoder().decode(await files.readAll(path));
}
