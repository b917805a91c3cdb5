import { codeOf, type ErrorCode } from "@penstock/model";
import { encodeRead, isBitTable, maxQuantity, type Table } from "./pdu.ts";
import { planReads, type Range } from "./plan.ts";
import { type ModbusPoint, type ResolvedPoint, resolvePoint } from "./point.ts";
import type { RefusedRanges } from "./refused-ranges.ts";

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
  /** of the refused ranges that it was made with */
  readonly version: number;
  readonly reads: readonly AreaRead[];
  /** points that contradict themselves and are never asked for */
  readonly impossible: readonly { readonly row: number; readonly reason: ErrorCode }[];
}

/** Plans the requests that read all points, unit by unit and table by table. @param maxGap in registers, 16 bits each */
export function readPlan(
  points: readonly ModbusPoint[],
  options: { refused: RefusedRanges; maxGap: number },
): ReadPlan {
  const { refused, maxGap } = options;
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
    const gap = isBitTable(table) ? maxGap * 16 : maxGap;
    const plan = planReads(ranges, { maxLength: maxQuantity(table), maxGap: gap, cuts: refused.cuts(area) });
    return plan.map(({ start, length, ranges }) => {
      const pdu = encodeRead(table, start, length);
      return { unit, table, area, start, length, ranges, base: start * placesEach, placesEach, pdu };
    });
  });
  return { version: refused.version, reads, impossible };
}

function placesOf(table: Table): number {
  return isBitTable(table) ? 1 : 2;
}
