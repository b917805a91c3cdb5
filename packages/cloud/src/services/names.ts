import type { Reader } from "./context.ts";

/** Names by uid. A name never changes and a uid is never reused, so what was read once stays right. */
export function createNames(db: Reader) {
  const known = new Map<string, string>();
  /** Bound of the memory: beyond it all is read again, a few milliseconds' work. */
  const most = 200_000;
  return {
    /** null when there never was such a resource */
    async of(uid: string): Promise<string | null> {
      const before = known.get(uid);
      if (before !== undefined) return before;
      const row = await db.selectFrom("resources").select("name").where("uid", "=", uid).executeTakeFirst();
      if (row === undefined) return null;
      if (known.size >= most) known.clear();
      known.set(uid, row.name);
      return row.name;
    },
  };
}
export type Names = ReturnType<typeof createNames>;
