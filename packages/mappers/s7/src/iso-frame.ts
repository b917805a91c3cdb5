import { AppError } from "@penstock/model";

/** TPKT (4) and the header of a COTP data unit (3). @source RFC 1006, 6; ISO 8073:1997, 13.7 */
const tpktBytes = 4;
const dataHeaderBytes = 3;
const connectRequest = 0xe0;
const connectConfirm = 0xd0;
const disconnectRequest = 0x80;
const dataUnit = 0xf0;
const lastUnit = 0x80;

/** 2^10: as PLCs offer it, and enough for their largest PDU in one unit */
const tpduSizeCode = 10;

/** A connect request, class 0, which names both ends by their TSAP. @source ISO 8073:1997, 13.3 */
export function encodeConnect(tsap: { readonly local: number; readonly remote: number }): Uint8Array {
  const parameters = [
    ...[0xc0, 1, tpduSizeCode],
    ...[0xc1, 2, tsap.local >> 8, tsap.local & 255],
    ...[0xc2, 2, tsap.remote >> 8, tsap.remote & 255],
  ];
  return tpkt([6 + parameters.length, connectRequest, 0, 0, 0, 1, 0, ...parameters]);
}

/** What comes of a COTP unit: the other end agreed, went away, or said something. */
export type IsoUnit =
  /** bytes that one data unit may have, its header included */
  | { readonly is: "confirmed"; readonly tpduSize: number }
  | { readonly is: "refused"; readonly reason: number }
  | { readonly is: "data"; readonly data: Uint8Array; readonly isLast: boolean };

/** Bytes of one PDU as they go over the wire, in as many data units as it takes. */
export function encodeData(pdu: Uint8Array, tpduSize: number): Uint8Array {
  const most = tpduSize - dataHeaderBytes;
  const units = Math.max(1, Math.ceil(pdu.length / most));
  const bytes = new Uint8Array(pdu.length + units * (tpktBytes + dataHeaderBytes));
  for (let unit = 0, at = 0; unit < units; unit++) {
    const part = pdu.subarray(unit * most, (unit + 1) * most);
    const length = tpktBytes + dataHeaderBytes + part.length;
    bytes.set([3, 0, length >> 8, length & 255, 2, dataUnit, unit === units - 1 ? lastUnit : 0], at);
    bytes.set(part, at + tpktBytes + dataHeaderBytes);
    at += length;
  }
  return bytes;
}

function tpkt(cotp: readonly number[]): Uint8Array {
  const length = tpktBytes + cotp.length;
  return Uint8Array.of(3, 0, length >> 8, length & 255, ...cotp);
}

/** @throws AppError mapper/bad-answer for what no class 0 peer says */
export function decodeUnit(cotp: Uint8Array): IsoUnit {
  const [length = 0, type = 0] = cotp;
  if (length < 2 || length + 1 > cotp.length) throw broken("a header without its end");
  switch (type & 0xf0) {
    case connectConfirm:
      return { is: "confirmed", tpduSize: tpduSizeOf(cotp.subarray(7, length + 1)) };
    case disconnectRequest:
      return { is: "refused", reason: cotp[6] ?? 0 };
    case dataUnit:
      if (length + 1 !== dataHeaderBytes) throw broken("a data unit with another header than class 0 has");
      return { is: "data", data: cotp.subarray(dataHeaderBytes), isLast: (cotp[2]! & lastUnit) !== 0 };
    default:
      throw broken(`a unit of type 0x${type.toString(16)}`);
  }
}

/** 13.4.4: without the parameter 128 bytes hold for class 0 unless both ends know better, as PLCs do */
function tpduSizeOf(parameters: Uint8Array): number {
  for (let at = 0; at + 1 < parameters.length; at += 2 + parameters[at + 1]!) {
    const code = parameters[at + 2];
    if (parameters[at] === 0xc0 && parameters[at + 1] === 1 && code !== undefined && code >= 7 && code <= 13) {
      return 2 ** code;
    }
  }
  return 2 ** tpduSizeCode;
}

/** Longest packet that is waited for: what a peer may send of the largest unit there is, and a little more. */
const longestPacket = 8192 + 64;

/** Cuts a stream into COTP units. What it holds is bounded by the longest packet. */
export class IsoReader {
  #held: Uint8Array = new Uint8Array(0);

  /** bytes of a packet that was begun and has not ended */
  get held(): number {
    return this.#held.length;
  }

  /**
   * A packet is handed on only when what stands behind it begins like another: one that stops in its middle would take the
   * beginning of the next for values.
   *
   * @throws AppError mapper/bad-answer when the stream is none of TPKT; where the next packet begins is unknown from then on
   */
  push(chunk: Uint8Array, each: (cotp: Uint8Array) => void): void {
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
    }
    let at = 0;
    for (;;) {
      const length = packetLength(bytes, at);
      if (length === null || bytes.length < at + length) break;
      packetLength(bytes, at + length);
      each(bytes.subarray(at + tpktBytes, at + length));
      at += length;
    }
    this.#held = bytes.slice(at);
  }
}

/**
 * The references of S7 answers whose packets begin inside other bytes, as they do where one before stopped in its middle.
 * What a PLC holds may look like that too.
 */
export function* packetsInside(bytes: Uint8Array): Generator<number> {
  for (let at = bytes.indexOf(3); at >= 0 && at + 13 <= bytes.length; at = bytes.indexOf(3, at + 1)) {
    const isPacket = bytes[at + 1] === 0 && bytes[at + 4] === 2 && bytes[at + 5] === dataUnit;
    if (isPacket && bytes[at + 7] === 0x32) yield (bytes[at + 11]! << 8) | bytes[at + 12]!;
  }
}

/** null: not yet known */
function packetLength(bytes: Uint8Array, at: number): number | null {
  const left = bytes.length - at;
  if ((left > 0 && bytes[at] !== 3) || (left > 1 && bytes[at + 1] !== 0)) throw broken("bytes that begin no packet");
  if (left < tpktBytes) return null;
  const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (length < tpktBytes + dataHeaderBytes || length > longestPacket) throw broken(`a packet of ${length} bytes`);
  // The header of an S7 answer has 03 00 in it as well: only with what follows it is known to be a packet's.
  if (left > tpktBytes + 1 && !isUnit(bytes[at + 4]!, bytes[at + 5]!, length)) throw broken("a packet without a unit");
  return length;
}

/** @param header bytes that follow the first of the unit and belong to its header */
function isUnit(header: number, type: number, length: number): boolean {
  return type === dataUnit ? header === dataHeaderBytes - 1 : header === length - tpktBytes - 1;
}

function broken(what: string): AppError {
  return new AppError("mapper/bad-answer", `Cannot understand the other end: it sent ${what}`);
}
