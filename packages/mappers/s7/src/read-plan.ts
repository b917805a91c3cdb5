import { AppError, type ErrorCode, planReads, type Range, type ReadTerms } from "@penstock/model";
import type { Area, ItemAddress } from "./areas.ts";
import type { S7Point } from "./point.ts";
import { areaKey, type RefusedPlaces } from "./refused-places.ts";
import { type ResolvedPoint, resolvePoint } from "./resolve-point.ts";
import { itemsMost, mostOfRead, type ReadItem, readRoom, roomOf } from "./s7-pdu.ts";

/** A point to report, by its place among those asked for. */
export interface Wanted extends Range {
  readonly row: number;
  readonly point: ResolvedPoint;
}
/** Consecutive places that are read together, by one item or, where they are longer than a PDU, by several. */
export interface AreaRead extends ItemAddress {
  readonly length: number;
  /** by start */
  readonly wanted: readonly Wanted[];
  /** the PLC has refused it before */
  readonly isRefused: boolean;
}
/** A part of an area read. */
export interface ReadPiece extends ReadItem {
  readonly of: AreaRead;
}
/** Items of one job. */
export type ReadJob = readonly ReadPiece[];

export interface ReadPlan {
  readonly impossible: readonly { readonly row: number; readonly reason: ErrorCode }[];
  readonly reads: readonly AreaRead[];
  readonly refusedVersion: number;
}

/** Joins points into reads that no PDU is too small for; of points that the PLC has refused, each is read by itself. */
export function readPlan(
  points: readonly S7Point[],
  options: { readonly refused: RefusedPlaces; readonly terms: ReadTerms },
): ReadPlan {
  const { refused, terms } = options;
  const impossible: { row: number; reason: ErrorCode }[] = [];
  const areas = new Map<string, { area: Area; db: number; wanted: Wanted[] }>();
  const reads: AreaRead[] = [];
  const alone = (wanted: Wanted, isRefused: boolean) => {
    const { area, db, start: place, length } = wanted.point;
    reads.push({ area, db, place, length, wanted: [wanted], isRefused });
  };
  points.forEach((given, row) => {
    try {
      const point = resolvePoint(given);
      const { area, db, start, length } = point;
      const wanted: Wanted = { row, point, start, length };
      const isRefused = refused.codeOf({ area, db, place: start }, wanted) !== null;
      const known = areas.get(areaKey(point));
      if (isRefused || length * area.placeBytes > terms.maxLength) alone(wanted, isRefused);
      else if (known === undefined) areas.set(areaKey(point), { area, db, wanted: [wanted] });
      else known.wanted.push(wanted);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      impossible.push({ row, reason: error.code });
    }
  });
  for (const { area, db, wanted } of areas.values()) {
    const cuts = refused.cutsOf({ area, db, place: 0 });
    const maxLength = Math.floor(terms.maxLength / area.placeBytes);
    const perUnit = terms.cost.perUnit * area.placeBytes;
    for (const read of planReads(wanted, { ...terms, maxLength, cost: { ...terms.cost, perUnit }, cuts })) {
      reads.push({ area, db, place: read.start, length: read.length, wanted: read.ranges, isRefused: false });
    }
  }
  return { impossible, reads, refusedVersion: refused.version };
}

/** Packs reads into as few jobs as the first that has room gives; question and answer both fit into the PDU. */
export function packReads(reads: readonly AreaRead[], pduSize: number): ReadJob[] {
  const jobs: { readonly pieces: ReadPiece[]; question: number; answer: number }[] = [];
  const room = roomOf(pduSize);
  for (const piece of reads.flatMap((read) => piecesOf(read, pduSize))) {
    const needs = readRoom(piece.count * piece.area.placeBytes);
    const fits = jobs.find(
      ({ pieces, question, answer }) =>
        pieces.length < itemsMost && question + needs.question <= room.question && answer + needs.answer <= room.answer,
    );
    if (fits === undefined) jobs.push({ pieces: [piece], ...needs });
    else {
      fits.pieces.push(piece);
      fits.question += needs.question;
      fits.answer += needs.answer;
    }
  }
  return jobs.map(({ pieces }) => pieces);
}

function piecesOf(read: AreaRead, pduSize: number): ReadPiece[] {
  const { area, db, place, length } = read;
  const most = Math.floor(mostOfRead(pduSize) / area.placeBytes);
  const pieces: ReadPiece[] = [];
  for (let from = 0; from < length; from += most) {
    pieces.push({ area, db, place: place + from, count: Math.min(most, length - from), of: read });
  }
  return pieces;
}

/** Two reads of the same points; null when there is but one point, or several in the very same place. */
export function splitRead(read: AreaRead): readonly [AreaRead, AreaRead] | null {
  const { wanted } = read;
  const [first, last] = [wanted[0]!, wanted.at(-1)!];
  if (first.start === last.start && wanted.every(({ length }) => length === first.length)) return null;
  const middle = Math.ceil(wanted.length / 2);
  return [covering(read, wanted.slice(0, middle)), covering(read, wanted.slice(middle))];
}

function covering(read: AreaRead, wanted: readonly Wanted[]): AreaRead {
  const place = wanted[0]!.start;
  const end = Math.max(...wanted.map(({ start, length }) => start + length));
  return { ...read, place, length: end - place, wanted };
}
