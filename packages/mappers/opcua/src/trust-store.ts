import { createHash, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type StatusCode, StatusCodes } from "node-opcua-client";

/** Certificates of strangers that are kept; beyond, no more are written down. */
const mostRejected = 100;
/** what a file of a certificate may have at most */
const mostBytes = 65_536;

/**
 * Whom we believe to be a server: certificates in `trusted/` of the mapper's folder, one PEM file each, named by its SHA-1
 * thumbprint; a trusted authority vouches for what it has signed. Strangers are kept in `rejected/`, so that trusting one is
 * moving a file. Read anew at every check, since people change the folder while we run.
 */
export class TrustStore {
  /** the library counts its users */
  referenceCounter = 0;
  /** thumbprint of the last that was refused, and why */
  refused: { readonly thumbprint: string; readonly why: string } | null = null;
  readonly #folder: string;
  readonly #own: Buffer;

  /** @param own the gateway's certificate in DER, which the library asks about as well */
  constructor(folder: string, own: Buffer) {
    this.#folder = folder;
    this.#own = own;
  }

  async initialize(): Promise<void> {
    for (const name of ["trusted", "rejected"]) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
  }

  async dispose(): Promise<void> {}

  async checkCertificate(given: Buffer | Buffer[]): Promise<StatusCode> {
    const chain = chainOf(given);
    const own = chain[0];
    if (own === undefined) return StatusCodes.BadCertificateInvalid;
    if (own.raw.equals(this.#own)) return StatusCodes.Good;
    const thumbprint = thumbprintOf(own.raw);
    const why = await this.#whyNot(own, chain.slice(1));
    if (why === null) return StatusCodes.Good;
    this.refused = { thumbprint, why };
    await this.#keep(own, thumbprint);
    return StatusCodes.BadCertificateUntrusted;
  }

  async verifyCertificate(given: Buffer | Buffer[]): Promise<string> {
    return (await this.checkCertificate(given)).name;
  }

  async getTrustStatus(given: Buffer): Promise<StatusCode> {
    return this.checkCertificate(given);
  }

  /** The library would trust its own certificate, which nobody asks about. */
  async trustCertificate(): Promise<void> {}
  async rejectCertificate(): Promise<void> {}
  async addIssuer(): Promise<void> {}
  async addRevocationList(): Promise<void> {}

  async #whyNot(own: X509Certificate, further: readonly X509Certificate[]): Promise<string | null> {
    const trusted = await this.#trusted();
    const isTrusted = (certificate: X509Certificate) => trusted.some(({ raw }) => raw.equals(certificate.raw));
    // Who names a certificate itself has decided; its dates then matter no more than a wrong clock of ours would.
    if (isTrusted(own)) return null;
    let vouched = own;
    for (let step = 0; step < 8; step++) {
      const isIssuer = (other: X509Certificate) =>
        other.ca && vouched.checkIssued(other) && vouched.verify(other.publicKey) && !other.raw.equals(vouched.raw);
      const issuer = trusted.find(isIssuer) ?? further.find(isIssuer);
      if (issuer === undefined) return "it is not trusted";
      const dated = isInDate(vouched)
        ? isInDate(issuer)
          ? null
          : "its authority is out of date"
        : "it is out of date";
      if (dated !== null) return dated;
      if (isTrusted(issuer)) return null;
      vouched = issuer;
    }
    return "it is not trusted";
  }

  async #trusted(): Promise<X509Certificate[]> {
    const folder = join(this.#folder, "trusted");
    const names = await readdir(folder).catch(() => []);
    const read = async (name: string) => {
      const bytes = await readFile(join(folder, name)).catch(() => null);
      return bytes === null || bytes.length > mostBytes ? null : parsed(bytes);
    };
    return (await Promise.all(names.map(read))).filter((certificate) => certificate !== null);
  }

  async #keep(certificate: X509Certificate, thumbprint: string): Promise<void> {
    const folder = join(this.#folder, "rejected");
    const path = join(folder, `${thumbprint}.pem`);
    const names = await readdir(folder).catch(() => null);
    if (names === null || names.length >= mostRejected) return;
    await writeFile(`${path}.new`, certificate.toString(), { mode: 0o600 });
    await rename(`${path}.new`, path).catch(() => rm(`${path}.new`, { force: true }));
  }
}

/** As every OPC UA product shows it: SHA-1 of the DER, 40 hex digits. @source OPC UA 1.05 Part 6, 6.2.2 */
export function thumbprintOf(der: Uint8Array): string {
  return createHash("sha1").update(der).digest("hex");
}

function isInDate(certificate: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** One after the other in DER, the server's own first. @source OPC UA 1.05 Part 6, 6.2.6 */
function chainOf(given: Buffer | Buffer[]): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let rest of Array.isArray(given) ? given : [given]) {
    while (rest.length >= 4 && chain.length < 10) {
      // DER: 0x30, then the length in 0x80 + n further bytes
      const count = rest[1]! - 0x80;
      const length = count < 1 || count > 4 ? rest.length : 2 + count + rest.readUIntBE(2, count);
      const certificate = parsed(rest.subarray(0, length));
      if (certificate === null) return chain;
      chain.push(certificate);
      rest = rest.subarray(length);
    }
  }
  return chain;
}

function parsed(bytes: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(bytes);
  } catch {
    return null;
  }
}
