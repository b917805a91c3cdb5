import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { AppError, formatMicros, invalid, type Micros, type NodeIdentity } from "@penstock/model";
import type { IssuedCertificate, ServiceContext } from "./context.ts";

/** @throws AppError input/invalid for anything but a P-256 public key, the only kind that node certificates are given for */
export function publicKeyFromPem(pem: string): Uint8Array {
  try {
    return checkedKey(createPublicKey({ key: pem, format: "pem" }));
  } catch (cause) {
    throw refusedKey(cause);
  }
}
export function publicKeyFromDer(der: Uint8Array): Uint8Array {
  try {
    return checkedKey(createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" }));
  } catch (cause) {
    throw refusedKey(cause);
  }
}
function checkedKey(key: ReturnType<typeof createPublicKey>): Uint8Array {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new TypeError(`key of type ${key.asymmetricKeyType ?? "unknown"}`);
  }
  return key.export({ format: "der", type: "spki" });
}
function refusedKey(cause: unknown): AppError {
  const rule = "must be a P-256 public key";
  const error = invalid([{ field: "publicKey", value: "(key)", rule }]);
  return new AppError(error.code, error.message, { cause, fields: error.fields });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
/** One spelling of a fingerprint: lower-case hex without colons. */
export function plainFingerprint(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}

/** Gateways count from the certificate's own beginning, which lies before its issue, and by their own clock. */
const renewalSlackMicros = 3_600_000_000;

/** Certificates of nodes: given, renewed for the same key, revoked. */
export function createCertificates(context: ServiceContext) {
  const { db, clock, authority, nudger } = context;
  return {
    keyHash: sha256,
    /** Issues and records; older certificates of another key end, since the node is another machine now. */
    async issue(identity: NodeIdentity, publicKeyDer: Uint8Array): Promise<IssuedCertificate> {
      const issued = await authority.issueNode({ ...identity, publicKeyDer });
      const now = clock.now();
      const keyHash = sha256(publicKeyDer);
      const ended = await db.transaction().execute(async (trx) => {
        const others = await trx
          .updateTable("node_certificates")
          .set({ revoked_at: now })
          .where("tenant_uid", "=", identity.tenant)
          .where("node_uid", "=", identity.node)
          .where("key_hash", "!=", keyHash)
          .where("revoked_at", "is", null)
          .returning("fingerprint")
          .execute();
        await trx
          .insertInto("node_certificates")
          .values({
            fingerprint: plainFingerprint(issued.fingerprint),
            tenant_uid: identity.tenant,
            node_uid: identity.node,
            key_hash: keyHash,
            serial: new X509Certificate(issued.certificatePem).serialNumber.toLowerCase(),
            issued_at: now,
            expires_at: issued.expiresAt,
            revoked_at: null,
          })
          .execute();
        return others;
      });
      // The link asks for certificates when it opens only: the machine before must not stay because it is connected.
      if (ended.length > 0) nudger.disconnect(identity.node, "link/not-authorized");
      return issued;
    },
    /** @throws AppError link/not-authorized when node, tenant or certificate is gone */
    async authorize(identity: NodeIdentity, fingerprint: string): Promise<void> {
      const row = await db
        .selectFrom("node_certificates")
        .innerJoin("resources as node", "node.uid", "node_certificates.node_uid")
        .innerJoin("resources as tenant", "tenant.uid", "node_certificates.tenant_uid")
        .select("fingerprint")
        .where("fingerprint", "=", plainFingerprint(fingerprint))
        .where("node_certificates.tenant_uid", "=", identity.tenant)
        .where("node_uid", "=", identity.node)
        .where("revoked_at", "is", null)
        .where("node.deleted_at", "is", null)
        .where("tenant.deleted_at", "is", null)
        .executeTakeFirst();
      if (row === undefined) {
        throw new AppError(
          "link/not-authorized",
          `Certificate of node ${identity.node} is unknown, revoked or not its own`,
        );
      }
    },
    /** @throws AppError request/too-many unless the certificate that the node uses now is past two thirds of its life */
    async isDue(identity: NodeIdentity, fingerprint: string): Promise<void> {
      const row = await db
        .selectFrom("node_certificates")
        .select(["issued_at", "expires_at"])
        .where("fingerprint", "=", plainFingerprint(fingerprint))
        .where("tenant_uid", "=", identity.tenant)
        .where("node_uid", "=", identity.node)
        .executeTakeFirst();
      if (row === undefined)
        throw new AppError("link/not-authorized", `Certificate of node ${identity.node} is unknown`);
      const due = row.issued_at + ((row.expires_at - row.issued_at) * 2) / 3 - renewalSlackMicros;
      if (clock.now() >= due) return;
      throw new AppError(
        "request/too-many",
        `Certificate of node ${identity.node} is renewed from ${formatMicros(Math.ceil(due) as Micros)} on`,
      );
    },
    /** @throws AppError link/not-authorized when no valid certificate of the node has this key */
    async isOwnKey(identity: NodeIdentity, publicKeyDer: Uint8Array): Promise<void> {
      const row = await db
        .selectFrom("node_certificates")
        .select("fingerprint")
        .where("tenant_uid", "=", identity.tenant)
        .where("node_uid", "=", identity.node)
        .where("key_hash", "=", sha256(publicKeyDer))
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      if (row === undefined) {
        throw new AppError("link/not-authorized", `Node ${identity.node} asked to renew a key that is not its own`);
      }
    },
  };
}
export type Certificates = ReturnType<typeof createCertificates>;
