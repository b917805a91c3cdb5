import { AppError } from "@penstock/model";
import type { ItemAddress } from "./areas.ts";

/**
 * S7 communication as the S7-300, 400, 1200 and 1500 and their imitators speak it. The protocol has no published
 * specification; numbers are those that Wireshark's dissector (packet-s7comm.c) names.
 */
const protocolId = 0x32;
const job = 1;
const ack = 2;
const ackData = 3;
const functions = { setup: 0xf0, read: 4, write: 5 } as const;
export type S7Function = keyof typeof functions;

/** header of a question, and of an answer, which has two bytes of error code more */
const jobHeader = 10;
const answerHeader = 12;
const itemBytes = 12;
/** return code, size of transport, length */
const dataHeader = 4;
/** what data are made of */
const transports = { bit: 3, integer: 5 } as const;

/** Items that one job may have: what the PLCs take that say so at all. */
export const itemsMost = 20;

/** What the two ends have agreed on. */
export interface S7Terms {
  /** bytes of a PDU, its header included */
  readonly pduSize: number;
  /** jobs that may be under way at once */
  readonly jobs: number;
}

/** One part of memory to read: `count` bytes, or words of timers and counters. */
export interface ReadItem extends ItemAddress {
  readonly count: number;
}
/** One part of memory to write; a bit is written alone and leaves its neighbours as they are. */
export interface WriteItem extends ItemAddress {
  readonly data: Uint8Array;
  /** 0 to 7; null: whole bytes */
  readonly bit: number | null;
}

/** bytes that items may take beside each other in a job and in its answer */
export function roomOf(pduSize: number): { readonly question: number; readonly answer: number } {
  return { question: pduSize - jobHeader - 2, answer: pduSize - answerHeader - 2 };
}
/** what one read of so many bytes takes of the room */
export const readRoom = (bytes: number) => ({ question: itemBytes, answer: dataHeader + bytes + (bytes & 1) });
/** what one write of so many bytes takes of the room */
export const writeRoom = (bytes: number) => ({ question: itemBytes + dataHeader + bytes + (bytes & 1), answer: 1 });
/** most bytes that one item may have */
export const mostOfRead = (pduSize: number) => (roomOf(pduSize).answer - dataHeader) & ~1;
export const mostOfWrite = (pduSize: number) => (roomOf(pduSize).question - itemBytes - dataHeader) & ~1;

function encodeJob(reference: number, parameter: readonly number[], data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(jobHeader + parameter.length + data.length);
  bytes.set([protocolId, job, 0, 0, ...word(reference), ...word(parameter.length), ...word(data.length)]);
  bytes.set(parameter, jobHeader);
  bytes.set(data, jobHeader + parameter.length);
  return bytes;
}

export function encodeSetup(reference: number, { pduSize, jobs }: S7Terms): Uint8Array {
  return encodeJob(reference, [functions.setup, 0, ...word(jobs), ...word(jobs), ...word(pduSize)]);
}

export function encodeRead(reference: number, items: readonly ReadItem[]): Uint8Array {
  return encodeJob(reference, [
    functions.read,
    items.length,
    ...items.flatMap((item) => variable(item, null, item.count)),
  ]);
}

export function encodeWrite(reference: number, items: readonly WriteItem[]): Uint8Array {
  const parameter = [functions.write, items.length];
  const data = new Uint8Array(items.reduce((sum, { data: { length } }) => sum + dataHeader + length + (length & 1), 0));
  let at = 0;
  for (const { data: bytes, ...item } of items) {
    const { length } = bytes;
    parameter.push(...variable(item, item.bit, item.bit === null ? length / item.area.placeBytes : 1));
    // Lengths count bits where the transport is of bits or bytes, and bytes where it is of octets.
    const [transport, size] = item.bit !== null ? [3, 1] : item.area.isByBytes ? [4, length * 8] : [9, length];
    data.set([0, transport, ...word(size)], at);
    data.set(bytes, at + dataHeader);
    // The last is filled up too: a PLC that wants it so is served, the others do not mind.
    at += dataHeader + length + (length & 1);
  }
  return encodeJob(reference, parameter, data);
}

/** An item by address ("any" syntax): area, data block, place. */
function variable({ area, db, place }: ItemAddress, bit: number | null, count: number): number[] {
  const transport = bit !== null ? 1 : area.transport;
  const address = area.isByBytes ? place * 8 + (bit ?? 0) : place;
  return [0x12, 10, 0x10, transport, ...word(count), ...word(db), area.code, (address >> 16) & 255, ...word(address)];
}

/** An answer whose frame is sound. */
export interface S7Answer {
  readonly reference: number;
  readonly function: number;
  /** the job as a whole: 0 = no error; class and code otherwise */
  readonly error: number;
  readonly parameter: Uint8Array;
  readonly data: Uint8Array;
}

/** @throws AppError mapper/bad-answer */
export function decodeAnswer(pdu: Uint8Array): S7Answer {
  if (pdu.length < answerHeader || pdu[0] !== protocolId) throw broken("no S7 answer");
  if (pdu[1] !== ackData && pdu[1] !== ack) throw broken(`a message of kind ${pdu[1]}`);
  const [parameterLength, dataLength] = [wordAt(pdu, 6), wordAt(pdu, 8)];
  if (pdu.length !== answerHeader + parameterLength + dataLength) throw broken("lengths that do not add up");
  const parameter = pdu.subarray(answerHeader, answerHeader + parameterLength);
  return {
    reference: wordAt(pdu, 4),
    function: parameter[0] ?? 0,
    error: wordAt(pdu, 10),
    parameter,
    data: pdu.subarray(answerHeader + parameterLength),
  };
}

/** @throws AppError mapper/bad-answer when it answers another question or offers what cannot be */
export function decodeSetup(answer: S7Answer): S7Terms {
  const { parameter } = answer;
  if (answer.function !== functions.setup || parameter.length !== 8) throw broken("no agreement on communication");
  const terms = { jobs: Math.min(wordAt(parameter, 2), wordAt(parameter, 4)), pduSize: wordAt(parameter, 6) };
  // Less than that has no room for one value; nobody offers it.
  if (terms.jobs < 1 || terms.pduSize < 64) throw broken(`an offer of ${terms.jobs} jobs of ${terms.pduSize} bytes`);
  return terms;
}

/** What one item of an answer says: its bytes, or a return code. */
export type ItemAnswer = { readonly bytes: Uint8Array } | { readonly code: number };
const good = 0xff;

/**
 * @param counts bytes asked for, item by item
 * @throws AppError mapper/bad-answer when the answer has other items than the question
 */
export function decodeRead(answer: S7Answer, counts: readonly number[]): ItemAnswer[] {
  checkItems(answer, "read", counts.length);
  const { data } = answer;
  let at = 0;
  return counts.map((count) => {
    const code = data[at];
    if (code === undefined || at + dataHeader > data.length) throw broken("fewer items than were asked for");
    const length = lengthInBytes(data[at + 1]!, wordAt(data, at + 2));
    const from = at + dataHeader;
    if (code !== good) {
      at = from; // A refused item has no bytes, whatever its length says.
      return { code };
    }
    if (length !== count || from + length > data.length) throw broken(`${length} bytes where ${count} were asked for`);
    at = from + length + (length & 1);
    return { bytes: data.subarray(from, from + length) };
  });
}

/** @returns return codes, item by item; null = written @throws AppError mapper/bad-answer */
export function decodeWrite(answer: S7Answer, items: number): (number | null)[] {
  checkItems(answer, "write", items);
  if (answer.data.length < items) throw broken("fewer items than were written");
  return Array.from({ length: items }, (_, i) => (answer.data[i] === good ? null : answer.data[i]!));
}

function checkItems({ function: of, parameter }: S7Answer, wanted: S7Function, items: number): void {
  if (of !== functions[wanted]) throw broken(`an answer to function ${of} where ${functions[wanted]} was asked`);
  if (parameter.length !== 2 || parameter[1] !== items)
    throw broken(`${parameter[1]} items where ${items} were asked for`);
}

/** Bits, bytes and integers count bits; the others count bytes. */
function lengthInBytes(transport: number, length: number): number {
  if (transport < transports.bit || transport > transports.integer) return length;
  // Where an answer was cut, what follows it stands there instead.
  if (transport !== transports.bit && (length & 7) !== 0) throw broken(`${length} bits where bytes were asked for`);
  return (length + 7) >> 3;
}

function word(value: number): [number, number] {
  return [(value >> 8) & 255, value & 255];
}
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
function broken(what: string): AppError {
  return new AppError("mapper/bad-answer", `Cannot understand the PLC: it sent ${what}`);
}
