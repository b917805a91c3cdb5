import type { Trx } from "./context.ts";

/** The next `count` of a number, from the one returned on; as `nextNumber`. */
export async function nextNumbers(trx: Trx, name: string, count: number): Promise<number> {
  const row = await trx
    .insertInto("counters")
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", count) })),
    )
    .returning("value")
    .executeTakeFirstOrThrow();
  return row.value - count + 1;
}

/** The next of a number that only grows; runs alone among writers, because it stands in a transaction. */
export async function nextNumber(trx: Trx, name: string): Promise<number> {
  return nextNumbers(trx, name, 1);
}
