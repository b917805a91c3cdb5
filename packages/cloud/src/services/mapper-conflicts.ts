import { isSameMapper } from "@penstock/model";
import type { BookEntry } from "./mapper-book.ts";

/** A name and version under which a tenant has mappers that do not state the same. */
export interface MapperConflict {
  /** "lathe 1.0.0" */
  readonly mapper: string;
  /** names of who has which, at most two: "gw-01 and gw-02" */
  readonly between: readonly [BookEntry, BookEntry];
}

export function conflictsOf(entries: readonly BookEntry[]): MapperConflict[] {
  const found: MapperConflict[] = [];
  const held = entries.filter(({ manifest }) => manifest !== null);
  for (const [mapper, of] of Map.groupBy(held, ({ name, version }) => `${name} ${version}`)) {
    const [first] = of;
    const other = of.find(({ manifest }) => !isSameMapper(manifest!, first!.manifest!));
    if (other !== undefined) found.push({ mapper, between: [first!, other] });
  }
  return found;
}
