import { codeOf, type ErrorCode, planReads, type Range, type ReadTerms } from "@penstock/model";
import { encodeRead, isBitTable, type Table } from "./pdu.ts";
import type { ModbusPoint } from "./point.ts";
import type { RefusedRanges } from "./refused-ranges.ts";
import { type ResolvedPoint, resolvePoint } from "./resolve-point.ts";

export interface PlannedPoint extends Range {
  readonly row: number;
  readonly point: ResolvedPoint;
  /** start × placesEach: bytes for registers, bits for bits */
  readonly place: number;
}

/** One request, ready to send. */
export interface AreaRead extends Range {
  readonly unit: number;
  readonly table: Table;
  /** unit and table, as RefusedRanges knows them */
  readonly area: string;
  readonly ranges: readonly PlannedPoint[];
  /** a point's data begins at its place − base */
  readonly base: number;
  /** 2 bytes a register, 1 bit a bit */
  readonly placesEach: number;
  readonly pdu: Uint8Array;
}

export interface ReadPlan {
  /** of the refused ranges, and of the line's terms, that it was made with */
  readonly refusedVersion: number;
  readonly termsVersion: number;
  readonly reads: readonly AreaRead[];
  /** points that contradict themselves and are never asked for */
  readonly impossible: readonly { readonly row: number; readonly reason: ErrorCode }[];
}

/** Plans the requests that read all points, unit by unit and table by table. */
export function readPlan(
  points: readonly ModbusPoint[],
  options: { refused: RefusedRanges; terms: (table: Table) => ReadTerms; termsVersion: number },
): ReadPlan {
  const { refused, terms, termsVersion } = options;
  const areas = new Map<string, PlannedPoint[]>();
  const impossible: { row: number; reason: ErrorCode }[] = [];
  points.forEach((given, row) => {
    try {
      const point = resolvePoint(given);
      const { start, length, unit, table } = point;
      const area = `${unit}/${table}`;
      const planned = { start, length, row, point, place: start * placesOf(table) };
      const known = areas.get(area);
      if (known === undefined) areas.set(area, [planned]);
      else known.push(planned);
    } catch (error) {
      impossible.push({ row, reason: codeOf(error) });
    }
  });
  const reads = [...areas].flatMap(([area, ranges]) => {
    const { unit, table } = ranges[0]!.point;
    const placesEach = placesOf(table);
    const plan = planReads(ranges, { ...terms(table), cuts: refused.cuts(area) });
    return plan.map(({ start, length, ranges }) => {
      const pdu = encodeRead(table, start, length);
      return { unit, table, area, start, length, ranges, base: start * placesEach, placesEach, pdu };
    });
  });
  return { refusedVersion: refused.version, termsVersion, reads, impossible };
}

function placesOf(table: Table): number {
  return isBitTable(table) ? 1 : 2;
}

/** Two halves by start; null when all its points lie in the same place. */
export function splitRead(read: AreaRead): readonly [AreaRead, AreaRead] | null {
  const { ranges } = read;
  const middle = ranges.length >> 1;
  const isSame = (a: PlannedPoint, b: PlannedPoint) => a.start === b.start && a.length === b.length;
  let at = middle;
  while (at > 0 && isSame(ranges[at - 1]!, ranges[at]!)) at--;
  if (at === 0) at = ranges.findIndex((range) => !isSame(range, ranges[0]!));
  if (at < 1) return null;
  return [part(read, ranges.slice(0, at)), part(read, ranges.slice(at))];
}

function part(read: AreaRead, ranges: readonly PlannedPoint[]): AreaRead {
  const start = ranges[0]!.start;
  const length = Math.max(...ranges.map((range) => range.start + range.length)) - start;
  const base = read.base + (start - read.start) * read.placesEach;
  return { ...read, start, length, ranges, base, pdu: encodeRead(read.table, start, length) };
}
