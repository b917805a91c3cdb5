import type { BookEntry } from "./mapper-book.ts";

/** A name and version under which a tenant has mappers that do not state the same. */
export interface MapperConflict {
  /** "lathe 1.0.0" */
  readonly mapper: string;
  /** two of those that differ */
  readonly between: readonly [BookEntry, BookEntry];
}

export function conflictsOf(entries: readonly BookEntry[]): MapperConflict[] {
  const found: MapperConflict[] = [];
  const held = entries.filter(({ likeness }) => likeness !== null);
  for (const [mapper, of] of Map.groupBy(held, ({ name, version }) => `${name} ${version}`)) {
    const [first] = of;
    const other = of.find(({ likeness }) => likeness !== first!.likeness);
    if (other !== undefined) found.push({ mapper, between: [first!, other] });
  }
  return found;
}
