import type { Trx } from "./context.ts";

/** The next of a number that only grows; runs alone among writers, because it stands in a transaction. */
export async function nextNumber(trx: Trx, name: string): Promise<number> {
  const row = await trx
    .insertInto("counters")
    .values({ name, value: 1 })
    .onConflict((conflict) => conflict.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", 1) })))
    .returning("value")
    .executeTakeFirstOrThrow();
  return row.value;
}
