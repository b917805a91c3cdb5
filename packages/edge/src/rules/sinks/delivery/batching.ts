import type { Parcel, ParcelRow } from "./courier.ts";

export interface BatchSettings {
  readonly send: "each" | "list";
  /** rows that go together; null: each result by itself */
  readonly rows: number | null;
  /** how long a row may wait for others, in ms */
  readonly lingerMs: number;
  /** of the courier: many rows are one message anyway */
  readonly takesMany: boolean;
}
/** A row on its way to a parcel. */
export interface BatchedRow extends ParcelRow {
  readonly address: string;
  /** the `take` that it came with */
  readonly take: number;
}
/** As a parcel, and which takes its rows came with. */
export interface Bundle extends Parcel {
  readonly rows: readonly BatchedRow[];
}

/** Rows that wait for others. */
export interface BatchState {
  readonly rows: readonly BatchedRow[];
  /** when the first of them came, in ms of monotonic time; null: none wait */
  readonly since: number | null;
}
export const emptyBatch: BatchState = { rows: [], since: null };

/** @param rows  of one result */
export function addRows(
  settings: BatchSettings,
  state: BatchState,
  rows: readonly BatchedRow[],
  at: number,
): { readonly state: BatchState; readonly bundles: readonly Bundle[] } {
  const { send, takesMany } = settings;
  if (settings.rows === null) {
    const isTogether = takesMany || send === "list";
    return { state, bundles: isTogether ? byAddress(rows, true) : rows.map((row) => bundleOf([row], false)) };
  }
  const bundles: Bundle[] = [];
  let waiting: readonly BatchedRow[] = state.rows.length === 0 ? rows : [...state.rows, ...rows];
  let { since } = state;
  while (waiting.length >= settings.rows) {
    bundles.push(...byAddress(waiting.slice(0, settings.rows), true));
    waiting = waiting.slice(settings.rows);
    since = null;
  }
  return { state: waiting.length === 0 ? emptyBatch : { rows: waiting, since: since ?? at }, bundles };
}

/** When the rows that wait have waited long enough; null: none wait. */
export function batchDue(settings: BatchSettings, { since }: BatchState): number | null {
  return since === null ? null : since + settings.lingerMs;
}

/** Ends the waiting. */
export function flushBatch({ rows }: BatchState): readonly Bundle[] {
  return byAddress(rows, true);
}

/** The order of the rows of one address is kept. */
function byAddress(rows: readonly BatchedRow[], isList: boolean): Bundle[] {
  const byName = new Map<string, BatchedRow[]>();
  for (const row of rows) {
    const known = byName.get(row.address);
    if (known === undefined) byName.set(row.address, [row]);
    else known.push(row);
  }
  return [...byName.values()].map((some) => bundleOf(some, isList));
}

function bundleOf(rows: readonly BatchedRow[], isList: boolean): Bundle {
  return { address: rows[0]!.address, rows, isList };
}
