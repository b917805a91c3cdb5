import { createHash } from "node:crypto";
import {
  AppError,
  formatMicros,
  invalid,
  limits,
  type Micros,
  type NodeSpec,
  type NodeUid,
  parseDuration,
  type TenantUid,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { JoinTokensTable } from "../state-schema.ts";
import { audit } from "./audit.ts";
import { type Certificates, publicKeyFromPem } from "./certificates.ts";
import type { Caller, Page, ServiceContext, Trx } from "./context.ts";
import { recall, remember } from "./idempotency.ts";
import type { KindService } from "./kind-service.ts";
import { createRateLimit } from "./rate-limit.ts";
import { findRow } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface JoinTokenView {
  id: string;
  node: string;
  createdAt: string;
  expiresAt: string;
  usedAt: string | null;
  revokedAt: string | null;
}
export interface NewJoinToken extends JoinTokenView {
  secret: string;
  caHash: string;
  token: string;
}
export interface Joined {
  tenant: { uid: string; name: string };
  node: { uid: string; name: string };
  certificate: string;
  trustBundle: string;
  expiresAt: string;
}

const defaultTtlMs = 3600_000;
type Row = Selectable<JoinTokensTable>;

/** The first half of the stored hash: tells tokens apart and opens nothing. */
function idOf(hash: string): string {
  return hash.slice(0, 32);
}
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Single-use secrets for one node name each, and what they are exchanged for. */
export function createJoinTokens(
  context: ServiceContext,
  parts: { readonly nodes: KindService<"Node", NodeSpec, unknown>; readonly certificates: Certificates },
) {
  const { db, clock, random, authority, log } = context;
  const attempts = createRateLimit(clock, 60);

  function viewOf(row: Row, node: string): JoinTokenView {
    const time = (at: number | null) => (at === null ? null : formatMicros(at as Micros));
    return {
      id: idOf(row.token_hash),
      node,
      createdAt: formatMicros(row.created_at as Micros),
      expiresAt: formatMicros(row.expires_at as Micros),
      usedAt: time(row.used_at),
      revokedAt: time(row.revoked_at),
    };
  }
  async function revoke(trx: Trx, tenant: TenantUid, id: string): Promise<boolean> {
    const row = await trx
      .updateTable("join_tokens")
      .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(clock.now())) }))
      .where("tenant_uid", "=", tenant)
      .where("token_hash", "like", `${id}%`)
      .returning("token_hash")
      .executeTakeFirst();
    return row !== undefined;
  }

  return {
    async list(caller: Caller, tenantName: string): Promise<Page<JoinTokenView>> {
      const tenant = await tenantOf(db, caller, tenantName);
      const rows = await db
        .selectFrom("join_tokens")
        .innerJoin("resources", "resources.uid", "join_tokens.node_uid")
        .selectAll("join_tokens")
        .select("resources.name as node")
        .where("join_tokens.tenant_uid", "=", tenant)
        .orderBy("join_tokens.created_at", "desc")
        .limit(limits.listPage)
        .execute();
      return { items: rows.map((row) => viewOf(row, row.node)), cursor: null };
    },

    /**
     * Makes a token, and the node if there is none of the name. The same idempotency key gives a new secret and revokes the
     * one before: a secret is shown once and never kept, and only one of the two is worth anything.
     */
    async create(
      caller: Caller,
      tenantName: string,
      request: {
        readonly node: string;
        readonly ttl?: string | undefined;
        readonly idempotencyKey?: string | undefined;
      },
    ): Promise<NewJoinToken> {
      const tenant = await tenantOf(db, caller, tenantName);
      const ttlMs = request.ttl === undefined ? defaultTtlMs : parseDuration(request.ttl);
      if (ttlMs === null || ttlMs < 1000 || ttlMs > limits.joinTokenTtlMaxMs) {
        throw invalid([{ field: "ttl", value: `"${request.ttl}"`, rule: "must be 1s..7d" }]);
      }
      if ((await findRow(db, tenant, "Node", request.node)) === undefined) {
        const document = { metadata: { name: request.node }, spec: {} };
        await parts.nodes
          .create(caller, { tenant: tenantName, name: request.node }, document)
          .catch((error: unknown) => {
            // Another request made it in between: that is what was wanted.
            if (!(error instanceof AppError) || error.code !== "resource/name-taken") throw error;
          });
      }
      const secret = Buffer.from(random.bytes(32)).toString("base64url");
      const row = await db.transaction().execute(async (trx) => {
        const node = await findRow(trx, tenant, "Node", request.node);
        if (node === undefined) throw notFound("Node", request.node);
        const now = clock.now();
        const token_hash = hashOf(secret);
        if (request.idempotencyKey !== undefined) {
          const keyed = { key: request.idempotencyKey, tenant, caller, request: ["jointoken", request.node, ttlMs] };
          const before = await recall<{ id: string }>(trx, keyed, now);
          if (before !== null) await revoke(trx, tenant, before.id);
          await remember(trx, keyed, { status: 201, body: { id: idOf(token_hash) }, now });
        }
        const row = await trx
          .insertInto("join_tokens")
          .values({
            token_hash,
            tenant_uid: tenant,
            node_uid: node.uid,
            created_by: caller.uid,
            created_at: now,
            expires_at: now + ttlMs * 1000,
            used_at: null,
            revoked_at: null,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const entry = { tenant, at: now, actor: caller.uid, kind: "JoinToken", name: request.node, uid: node.uid };
        await audit(trx, { ...entry, action: "create", detail: { id: idOf(token_hash) } });
        return row;
      });
      const { caHash } = authority;
      return { ...viewOf(row, request.node), secret, caHash, token: `${secret}.${caHash}` };
    },

    async remove(caller: Caller, tenantName: string, id: string): Promise<void> {
      const tenant = await tenantOf(db, caller, tenantName);
      await db.transaction().execute(async (trx) => {
        if (!(await revoke(trx, tenant, id))) throw notFound("JoinToken", id);
        const entry = { tenant, at: clock.now(), actor: caller.uid, kind: "JoinToken", name: id, uid: id };
        await audit(trx, { ...entry, action: "revoke" });
      });
    },

    /**
     * A token for a certificate. The token is spent first; the same key may ask again with it until it expires, so that an
     * answer lost on the way does not strand a gateway.
     *
     * @throws AppError join/token-invalid; input/invalid for a key of the wrong kind; request/too-many
     */
    async join(request: {
      readonly secret: string;
      readonly publicKey: string;
      readonly remote: string;
    }): Promise<Joined> {
      if (!attempts.allow(request.remote)) throw new AppError("request/too-many", "Too many joins; wait a minute");
      const publicKeyDer = publicKeyFromPem(request.publicKey);
      const keyHash = parts.certificates.keyHash(publicKeyDer);
      // "secret.caHash", as people paste it, is taken too.
      const token_hash = hashOf(request.secret.split(".")[0]!);
      const { row, isFirst } = await db.transaction().execute(async (trx) => {
        const now = clock.now();
        const row = await trx
          .selectFrom("join_tokens")
          .innerJoin("resources as node", "node.uid", "join_tokens.node_uid")
          .innerJoin("resources as tenant", "tenant.uid", "join_tokens.tenant_uid")
          .select(["join_tokens.tenant_uid", "node_uid", "used_at", "node.name as node", "tenant.name as tenant"])
          .where("token_hash", "=", token_hash)
          .where("revoked_at", "is", null)
          .where("expires_at", ">", now)
          .where("node.deleted_at", "is", null)
          .where("tenant.deleted_at", "is", null)
          .executeTakeFirst();
        if (row === undefined) throw refused();
        if (row.used_at !== null) {
          const own = await trx
            .selectFrom("node_certificates")
            .select("fingerprint")
            .where("node_uid", "=", row.node_uid)
            .where("key_hash", "=", keyHash)
            .where("issued_at", ">=", row.used_at)
            .where("revoked_at", "is", null)
            .executeTakeFirst();
          if (own === undefined) throw refused();
          return { row, isFirst: false };
        }
        await trx.updateTable("join_tokens").set({ used_at: now }).where("token_hash", "=", token_hash).execute();
        const entry = {
          tenant: row.tenant_uid,
          at: now,
          actor: row.node_uid,
          kind: "Node",
          name: row.node,
          uid: row.node_uid,
        };
        await audit(trx, { ...entry, action: "join", detail: { remote: request.remote } });
        return { row, isFirst: true };
      });
      const identity = { tenant: row.tenant_uid as TenantUid, node: row.node_uid as NodeUid };
      try {
        const issued = await parts.certificates.issue(identity, publicKeyDer);
        log.info({ node: row.node, tenant: row.tenant }, "Node joined");
        return {
          tenant: { uid: row.tenant_uid, name: row.tenant },
          node: { uid: row.node_uid, name: row.node },
          certificate: issued.certificatePem,
          trustBundle: issued.trustBundlePem,
          expiresAt: formatMicros(issued.expiresAt),
        };
      } catch (error) {
        // Nothing was given for it, so the token is whole again.
        if (isFirst) {
          await db.updateTable("join_tokens").set({ used_at: null }).where("token_hash", "=", token_hash).execute();
        }
        throw error;
      }
    },
  };
}
export type JoinTokens = ReturnType<typeof createJoinTokens>;

function refused(): AppError {
  return new AppError("join/token-invalid", "Cannot join: the token is unknown, used, revoked or expired");
}
