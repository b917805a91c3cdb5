import { effort } from "../../run/effort.ts";
/** Characters are what Unicode numbers: an emoji is one, though JavaScript counts two. */
export function charactersOf(text: string): string[] {
  effort.eachChar(text.length);
  return [...text];
}

export function countCharacters(text: string): number {
  effort.chars(text.length << 2);
  let count = text.length;
  for (let at = 1; at < text.length; at++) if (isSecondHalf(text, at)) count--;
  return count;
}

function isSecondHalf(text: string, at: number): boolean {
  const [first, second] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return second >= 0xdc00 && second <= 0xdfff && first >= 0xd800 && first <= 0xdbff;
}

/** Characters from the one at `start` up to the one at `end`, which is not included. */
export function sliceCharacters(text: string, start: number, end: number): string {
  return /[\ud800-\udbff]/.test(text) ? charactersOf(text).slice(start, end).join("") : text.slice(start, end);
}

/** Of the text in UTF-8. */
export function countBytes(text: string): number {
  effort.chars(text.length << 2);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The first half of a pair counts three like everything from U+0800 on, its second half makes it four.
    count += unit < 0x80 ? 1 : unit < 0x800 ? 2 : at > 0 && isSecondHalf(text, at) ? 1 : 3;
  }
  return count;
}
