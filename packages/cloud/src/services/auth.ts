import { createHash, timingSafeEqual } from "node:crypto";
import { AppError, formatMicros, limits, type Micros } from "@penstock/model";
import { audit } from "./audit.ts";
import type { Caller, ServiceContext } from "./context.ts";
import { isPassword } from "./passwords.ts";
import { createRateLimit } from "./rate-limit.ts";

const lifeMs = { cookie: 12 * 3600 * 1000, bearer: 30 * 24 * 3600 * 1000 } as const;

export interface Login {
  /** 256 random bits, base64url; stored as their hash only */
  readonly token: string;
  readonly user: string;
  readonly role: string;
  readonly expiresAt: string;
}
export interface Session {
  readonly caller: Caller;
  readonly kind: "cookie" | "bearer";
  readonly expiresAt: string;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Logins. A wrong password and an unknown user are one answer, in one time. */
export function createAuth(context: ServiceContext) {
  const { db, clock, random, log } = context;
  const perUser = createRateLimit(clock, limits.loginAttemptsPerMinute);
  const perRemote = createRateLimit(clock, limits.loginAttemptsPerMinute * 3);
  const refused = context.metrics.counter("penstock_services_logins_refused_total", "Logins refused");

  return {
    /** @throws AppError request/unauthenticated; request/too-many beyond ten attempts a minute for a name */
    async login(request: {
      readonly user: string;
      readonly password: string;
      readonly kind: "cookie" | "bearer";
      readonly remote: string;
    }): Promise<Login> {
      if (!perRemote.allow(request.remote) || !perUser.allow(request.user)) {
        refused.add();
        const most = `${limits.loginAttemptsPerMinute} a minute for one user, ${3 * limits.loginAttemptsPerMinute} from one address`;
        throw new AppError("request/too-many", `Too many logins as "${request.user}": at most ${most}; wait a minute`);
      }
      const row = await db
        .selectFrom("users")
        .selectAll()
        .where("name", "=", request.user)
        .where("disabled_at", "is", null)
        .executeTakeFirst();
      if (!(await isPassword(request.password, row?.password_hash)) || row === undefined) {
        refused.add();
        log.info({ user: request.user, remote: request.remote }, "Login refused");
        throw new AppError("request/unauthenticated", "Cannot log in: user or password is wrong");
      }
      const token = Buffer.from(random.bytes(32)).toString("base64url");
      const now = clock.now();
      const expiresAt = (now + lifeMs[request.kind] * 1000) as Micros;
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("sessions").where("expires_at", "<=", now).execute();
        await trx
          .insertInto("sessions")
          .values({
            token_hash: hashOf(token),
            user_uid: row.uid,
            kind: request.kind,
            created_at: now,
            expires_at: expiresAt,
          })
          .execute();
        const detail = { remote: request.remote, kind: request.kind };
        const entry = {
          tenant: "",
          at: now,
          actor: row.uid,
          action: "login",
          kind: "User",
          name: row.name,
          uid: row.uid,
        };
        await audit(trx, { ...entry, detail });
      });
      return { token, user: row.name, role: row.role, expiresAt: formatMicros(expiresAt) };
    },

    /** Whose token it is. @throws AppError request/unauthenticated */
    async authenticate(token: string): Promise<Session> {
      const hash = hashOf(token);
      const row = await db
        .selectFrom("sessions")
        .innerJoin("users", "users.uid", "sessions.user_uid")
        .select([
          "sessions.token_hash",
          "sessions.kind",
          "sessions.expires_at",
          "users.uid",
          "users.name",
          "users.role",
        ])
        .where("sessions.token_hash", "=", hash)
        .where("sessions.expires_at", ">", clock.now())
        .where("users.disabled_at", "is", null)
        .executeTakeFirst();
      // The index already compared hashes; the constant-time one makes sure that no collation found a near miss.
      if (row === undefined || !timingSafeEqual(Buffer.from(row.token_hash), Buffer.from(hash))) {
        throw new AppError("request/unauthenticated", "The login has ended or never was");
      }
      return {
        caller: { uid: row.uid, name: row.name, role: row.role, tenants: "all" },
        kind: row.kind === "cookie" ? "cookie" : "bearer",
        expiresAt: formatMicros(row.expires_at as Micros),
      };
    },

    /** The token is worthless afterwards. */
    async logout(token: string): Promise<void> {
      await db.deleteFrom("sessions").where("token_hash", "=", hashOf(token)).execute();
    },
  };
}
export type Auth = ReturnType<typeof createAuth>;
