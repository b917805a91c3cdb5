import { createHash } from "node:crypto";
import { AppError, type Micros } from "@penstock/model";
import type { Caller, Trx } from "./context.ts";

export const rememberedMs = 24 * 3600 * 1000;

/** A request that may come twice. `request` is what must be equal for the key to mean the same. */
export interface Keyed {
  readonly key: string;
  readonly tenant: string;
  readonly caller: Caller;
  readonly request: unknown;
}

function scopeOf(keyed: Keyed): string {
  return `${keyed.tenant} ${keyed.caller.uid}`;
}
function hashOf(keyed: Keyed): string {
  return createHash("sha256").update(JSON.stringify(keyed.request)).digest("hex");
}

/**
 * What was answered to the same key before, or null.
 *
 * @throws AppError request/key-reused when the key came with another request
 */
export async function recall<T>(trx: Trx, keyed: Keyed, now: Micros): Promise<T | null> {
  const row = await trx
    .selectFrom("idempotency_keys")
    .select(["request_hash", "body"])
    .where("scope", "=", scopeOf(keyed))
    .where("key", "=", keyed.key)
    .where("created_at", ">", now - rememberedMs * 1000)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.request_hash !== hashOf(keyed)) {
    throw new AppError(
      "request/key-reused",
      `Cannot use Idempotency-Key "${keyed.key}": it belongs to another request`,
    );
  }
  return JSON.parse(row.body) as T;
}

/** Remembers `body`, which must hold no secret, for 24 h; what is older goes. */
export async function remember(
  trx: Trx,
  keyed: Keyed,
  answer: { status: number; body: unknown; now: Micros },
): Promise<void> {
  const { now } = answer;
  await trx
    .deleteFrom("idempotency_keys")
    .where("created_at", "<=", now - rememberedMs * 1000)
    .execute();
  const values = {
    scope: scopeOf(keyed),
    key: keyed.key,
    request_hash: hashOf(keyed),
    status: answer.status,
    body: JSON.stringify(answer.body),
    created_at: now,
  };
  await trx
    .insertInto("idempotency_keys")
    .values(values)
    .onConflict((conflict) => conflict.columns(["scope", "key"]).doUpdateSet(values))
    .execute();
}
