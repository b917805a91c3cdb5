import { AppError } from "@penstock/model";

/** How text, dates and plain bytes lie in a PLC's memory. */
export interface BlockType {
  /** bytes of memory, for a stated length in characters or bytes */
  readonly bytes: (length: number) => number;
  /** null: the bytes are no such value */
  readonly get: (bytes: Uint8Array, length: number) => string | null;
  /** bytes of the block that a write leaves as they are, such as the declared length of a string */
  readonly skips: number;
  /** what a write sends behind those @throws AppError mapper/value-out-of-range */
  readonly set: (text: string, length: number) => Uint8Array;
}

const word = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!;

/** STRING: declared length, length, characters of eight bits. @source IEC 61131-3:2013, table 10; STEP 7, format of STRING */
const string: BlockType = {
  bytes: (length) => 2 + length,
  get: (bytes, length) => {
    const used = bytes[1]!;
    return used > length ? null : latin1(bytes.subarray(2, 2 + used));
  },
  skips: 1,
  set: (text, length) => {
    const bytes = fromLatin1(text, length);
    return Uint8Array.of(bytes.length, ...bytes);
  },
};

/** WSTRING: the same in words of UTF-16. */
const wstring: BlockType = {
  bytes: (length) => 4 + 2 * length,
  get: (bytes, length) => {
    const used = word(bytes, 2);
    if (used > length) return null;
    const text = String.fromCharCode(...Array.from({ length: used }, (_, i) => word(bytes, 4 + 2 * i)));
    return text.isWellFormed() ? text : null;
  },
  skips: 2,
  set: (text, length) => {
    if (text.length > length) throw refused(text, `at most ${length} UTF-16 code units`);
    if (!text.isWellFormed()) throw refused(text, "whole characters");
    return Uint8Array.from([text.length, ...utf16(text)].flatMap((unit) => [unit >> 8, unit & 255]));
  },
};

/** Characters without a length: unused ones at the end are blanks or zeros. */
const chars: BlockType = {
  bytes: (length) => length,
  get: (bytes) => latin1(bytes).replace(/[ \0]+$/, ""),
  skips: 0,
  set: (text, length) => {
    const bytes = new Uint8Array(length).fill(0x20);
    bytes.set(fromLatin1(text, length));
    return bytes;
  },
};

const isoTime = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;

interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
}

/** DATE_AND_TIME: decimal digits of four bits; years 90 to 89 are 1990 to 2089. The weekday counts from Sunday, 1. */
const dateAndTime: BlockType = {
  bytes: () => 8,
  get: (bytes) => {
    const digits = Array.from(bytes, (byte) => (byte >> 4 > 9 ? Number.NaN : (byte >> 4) * 10 + (byte & 15)));
    if (bytes.subarray(0, 7).some((byte) => (byte & 15) > 9) || bytes[7]! >> 4 > 9) return null;
    const [year, month, day, hour, minute, second, centisecond] = digits as [number, ...number[]];
    const nanosecond = (centisecond! * 10 + (bytes[7]! >> 4)) * 1_000_000;
    const century = year >= 90 ? 1900 : 2000;
    return textOf(
      { year: century + year, month: month!, day: day!, hour: hour!, minute: minute!, second: second!, nanosecond },
      3,
    );
  },
  skips: 0,
  set: (text) => {
    const { nanosecond, ...at } = momentOf(text, { years: [1990, 2089], step: 1_000_000 });
    const ms = nanosecond / 1_000_000;
    const digits = [at.year % 100, at.month, at.day, at.hour, at.minute, at.second, Math.floor(ms / 10)];
    const coded = digits.map((value) => (Math.floor(value / 10) << 4) | (value % 10));
    return Uint8Array.of(...coded, ((ms % 10) << 4) | weekday(at));
  },
};

/** DTL: year in a word, the rest in bytes, nanoseconds in four. */
const dtl: BlockType = {
  bytes: () => 12,
  get: (bytes) => {
    const [month, day, , hour, minute, second] = bytes.subarray(2, 8) as unknown as [number, ...number[]];
    const nanosecond = new DataView(bytes.buffer, bytes.byteOffset, 12).getUint32(8);
    if (nanosecond > 999_999_999) return null;
    return textOf(
      { year: word(bytes, 0), month, day: day!, hour: hour!, minute: minute!, second: second!, nanosecond },
      9,
    );
  },
  skips: 0,
  set: (text) => {
    const { nanosecond, ...at } = momentOf(text, { years: [1970, 2262], step: 1 });
    const bytes = new Uint8Array(12);
    bytes.set([at.year >> 8, at.year & 255, at.month, at.day, weekday(at), at.hour, at.minute, at.second]);
    new DataView(bytes.buffer).setUint32(8, nanosecond);
    return bytes;
  },
};

/** By the PLC's own clock, which names no zone: so the text has none. */
export const textTypes = { string, wstring, chars, date_and_time: dateAndTime, dtl } as const;
export type TextName = keyof typeof textTypes;

/** null when no calendar has it */
function textOf({ nanosecond, ...at }: Moment, digits: number): string | null {
  const pad = (value: number, length: number) => String(value).padStart(length, "0");
  const time = `${pad(at.hour, 2)}:${pad(at.minute, 2)}:${pad(at.second, 2)}`;
  const text = `${pad(at.year, 4)}-${pad(at.month, 2)}-${pad(at.day, 2)}T${time}`;
  if (!isMoment(text)) return null;
  return `${text}.${pad(nanosecond, 9).slice(0, digits)}`;
}

function momentOf(text: string, { years, step }: { years: readonly [number, number]; step: number }): Moment {
  const match = isoTime.exec(text);
  if (match === null || !isMoment(text.slice(0, 19))) throw refused(text, "a time such as 2026-11-23T08:30:00.250");
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, ...number[]];
  const nanosecond = Number((match[7] ?? "").padEnd(9, "0"));
  if (year < years[0] || year > years[1]) throw refused(text, `a year from ${years[0]} to ${years[1]}`);
  if (nanosecond % step !== 0) throw refused(text, "whole milliseconds");
  return { year, month: month!, day: day!, hour: hour!, minute: minute!, second: second!, nanosecond };
}

/** @param text without a fraction: 30 February is no day, though a calendar may count on */
function isMoment(text: string): boolean {
  const time = Date.parse(`${text}Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function weekday({ year, month, day }: Pick<Moment, "year" | "month" | "day">): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
function fromLatin1(text: string, length: number): Uint8Array {
  if (text.length > length) throw refused(text, `at most ${length} characters`);
  if (utf16(text).some((unit) => unit > 255)) throw refused(text, "characters of eight bits (Latin-1)");
  return Buffer.from(text, "latin1");
}
function utf16(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}
function refused(text: string, need: string): AppError {
  return new AppError("mapper/value-out-of-range", `Cannot write "${text.slice(0, 100)}": need ${need}`);
}
