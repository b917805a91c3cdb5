/** White space as Unicode and Go have it; U+FEFF is none. @source Go 1.23, package unicode, IsSpace */
const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const isSpace = new RegExp(space);

export function withoutSpaceBefore(text: string): string {
  let at = 0;
  while (at < text.length && isSpace.test(text[at]!)) at++;
  return text.slice(at);
}

/** Not by a pattern that ends in $: that tries anew at every space in the middle. */
export function withoutSpaceAfter(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
