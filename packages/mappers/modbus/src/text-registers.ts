import { AppError } from "@penstock/model";

export const encodings = ["utf-8", "ascii", "latin1"] as const;
export type Encoding = (typeof encodings)[number];
export const paddings = ["nul", "space"] as const;
export type Padding = (typeof paddings)[number];

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Text in registers, up to the first NUL. @returns null when the bytes are no text of the encoding */
export function decodeText(
  bytes: Uint8Array,
  { encoding, padding }: { encoding: Encoding; padding: Padding },
): string | null {
  const nul = bytes.indexOf(0);
  let end = nul < 0 ? bytes.length : nul;
  if (padding === "space") while (end > 0 && bytes[end - 1] === 0x20) end--;
  const text = bytes.subarray(0, end);
  if (encoding === "utf-8") {
    try {
      return utf8.decode(text);
    } catch {
      return null;
    }
  }
  if (encoding === "ascii" && text.some((byte) => byte > 127)) return null;
  // The platform's "latin1" decoder is windows-1252, which has other characters from 0x80 to 0x9f.
  return String.fromCharCode(...text);
}

/** @throws AppError mapper/value-out-of-range for text that would not be read back as it is */
export function encodeText(
  text: string,
  { encoding, padding, length }: { encoding: Encoding; padding: Padding; length: number },
): Uint8Array {
  const refuse = (need: string) =>
    new AppError("mapper/value-out-of-range", `Cannot write ${JSON.stringify(text)} as "string": ${need}`);
  const highest = encoding === "ascii" ? 127 : 255;
  const isUtf8 = encoding === "utf-8";
  if (!isUtf8 && [...text].some((letter) => letter.codePointAt(0)! > highest)) throw refuse(`need ${encoding}`);
  if (isUtf8 && !text.isWellFormed()) throw refuse("need Unicode without lone surrogates");
  const bytes = isUtf8 ? new TextEncoder().encode(text) : Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  if (bytes.length > length) throw refuse(`need at most ${length} bytes, got ${bytes.length}`);
  if (bytes.includes(0)) throw refuse("need no NUL, which ends it");
  if (padding === "space" && text.endsWith(" ")) throw refuse("need no space at its end, which is padding");
  const padded = new Uint8Array(length).fill(padding === "space" ? 0x20 : 0);
  padded.set(bytes);
  return padded;
}
