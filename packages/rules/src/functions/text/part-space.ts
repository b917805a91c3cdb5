import { effort } from "../../run/effort.ts";

/** White space as Unicode and Go have it; U+FEFF is none. @source Go 1.23, package unicode, IsSpace */
function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return rare.has(unit) || (unit >= 0x2000 && unit <= 0x200a);
}

const rare: ReadonlySet<number> = new Set([0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);

export function withoutSpaceBefore(text: string): string {
  let at = 0;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  effort.chars(at << 3);
  return text.slice(at);
}

/** Not by a pattern that ends in $: that tries anew at every space in the middle. */
export function withoutSpaceAfter(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  effort.chars((text.length - end) << 3);
  return text.slice(0, end);
}
