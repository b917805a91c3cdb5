import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { packDeflated, unpackDeflated } from "./deflate.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";

/** Texts as UTF-16 code units would cost twice; as UTF-8, lone surrogates would be lost. So the few that have any say so. */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Byte strings: their lengths, then all of them, deflated. */
export function packBlobs(out: ByteWriter, blobs: readonly Uint8Array[]): void {
  packIntegers(
    out,
    Float64Array.from(blobs, (blob) => blob.length),
    blobs.length,
  );
  packDeflated(out, Buffer.concat(blobs));
}

export function unpackBlobs(input: ByteReader, count: number): Uint8Array[] {
  const lengths = unpackIntegers(input, count);
  const all = unpackDeflated(input);
  let at = 0;
  return Array.from(lengths, (length) => {
    const blob = all.slice(at, at + length);
    at += length;
    return blob;
  });
}

/** Texts: each distinct one once, in order of appearance, and indexes. */
export function packTexts(out: ByteWriter, texts: readonly string[]): void {
  const places = new Map<string, number>();
  const indexes = Float64Array.from(texts, (text) => {
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  });
  const distinct = [...places.keys()];
  const wellFormed = distinct.every((text) => text.isWellFormed());
  out.varint(distinct.length);
  out.u8(wellFormed ? 0 : 1);
  packBlobs(
    out,
    distinct.map((text) => (wellFormed ? encoder.encode(text) : Buffer.from(text, "utf16le"))),
  );
  packIntegers(out, indexes, texts.length);
}

export function unpackTexts(input: ByteReader, count: number): string[] {
  const length = input.varint();
  const wellFormed = input.u8() === 0;
  const distinct = unpackBlobs(input, length).map((blob) =>
    wellFormed ? decoder.decode(blob) : Buffer.from(blob).toString("utf16le"),
  );
  return Array.from(unpackIntegers(input, count), (index) => distinct[index] ?? "");
}
