import type { Kysely } from "kysely";
import type { Database } from "../state-schema.ts";
import type { Trx } from "./context.ts";

/** Runs in one transaction. A dry run does all of it, checks included, and then takes it back: nothing is stored. */
export async function inTransaction<T>(
  db: Kysely<Database>,
  isDryRun: boolean,
  run: (trx: Trx) => Promise<T>,
): Promise<T> {
  if (!isDryRun) return db.transaction().execute(run);
  const rollBack = new Error("A dry run ends here");
  const done: T[] = [];
  try {
    await db.transaction().execute(async (trx) => {
      done.push(await run(trx));
      throw rollBack;
    });
  } catch (error) {
    if (error !== rollBack) throw error;
  }
  return done[0]!;
}
