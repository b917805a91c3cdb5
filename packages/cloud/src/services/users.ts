import { contract } from "@penstock/api";
import { AppError, invalid } from "@penstock/model";
import { type CheckingContext, system } from "./context.ts";
import { createKindService } from "./kind-service.ts";
import { hashPassword } from "./passwords.ts";

export interface UserSpec {
  readonly role: "administrator";
  /** goes in, never comes out */
  readonly password?: string;
}
export const administrator = "admin";

/** People. The login row stands beside the resource, in the same transaction. */
export function createUsers(context: CheckingContext) {
  const { db, clock, random } = context;
  const service = createKindService<"User", UserSpec, Record<string, never>>(context, {
    kind: "User",
    contract: contract.users,
    scope: "platform",
    status: async (_, rows) => rows.map(() => ({})),
    kept: ({ role }) => ({ role }),
    async check({ spec, before }) {
      if (before === null && spec.password === undefined) {
        throw invalid([{ field: "spec.password", value: "(missing)", rule: "is required for a new user" }]);
      }
    },
    async changed({ trx, uid, name, spec, before }) {
      const now = clock.now();
      if (before === null) {
        const password_hash = await hashPassword(spec.password!);
        await trx
          .insertInto("users")
          .values({
            uid,
            tenant_uid: "",
            name,
            password_hash,
            role: spec.role,
            created_at: now,
            updated_at: now,
            disabled_at: null,
          })
          .execute();
        return undefined;
      }
      const password = spec.password === undefined ? {} : { password_hash: await hashPassword(spec.password) };
      await trx
        .updateTable("users")
        .set({ role: spec.role, updated_at: now, ...password })
        .where("uid", "=", uid)
        .execute();
      // A new password ends all logins: whoever knew the old one is out.
      if (spec.password !== undefined) await trx.deleteFrom("sessions").where("user_uid", "=", uid).execute();
      return undefined;
    },
    async removing({ trx, row }) {
      const others = await trx
        .selectFrom("users")
        .select("uid")
        .where("role", "=", "administrator")
        .where("disabled_at", "is", null)
        .where("uid", "!=", row.uid)
        .executeTakeFirst();
      if (others === undefined) {
        throw new AppError("resource/in-use", `Cannot delete User "${row.name}": the last administrator`);
      }
      await trx.deleteFrom("sessions").where("user_uid", "=", row.uid).execute();
      await trx.deleteFrom("users").where("uid", "=", row.uid).execute();
      return undefined;
    },
  });
  return {
    ...service,
    /**
     * Makes the first administrator, once in the life of an installation.
     *
     * @returns its name and random password, to be shown this once; null at every later start
     */
    async ensureAdministrator(): Promise<{ user: string; password: string } | null> {
      const made = await db
        .selectFrom("settings")
        .select("name")
        .where("name", "=", "administrator")
        .executeTakeFirst();
      if (made !== undefined) return null;
      if ((await db.selectFrom("users").select("uid").executeTakeFirst()) !== undefined) return null;
      // 120 bits: beyond guessing, and still to be typed from a screen.
      const password = Buffer.from(random.bytes(15)).toString("base64url");
      const document = { metadata: { name: administrator }, spec: { role: "administrator", password } };
      await service.create(system, { tenant: "", name: administrator }, document);
      await db.insertInto("settings").values({ name: "administrator", value: "true" }).execute();
      return { user: administrator, password };
    },
  };
}
