/** Characters are what Unicode numbers: an emoji is one, though JavaScript counts two. */
export function charactersOf(text: string): string[] {
  return [...text];
}

export function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at++) if (isSecondHalf(text, at)) count--;
  return count;
}

function isSecondHalf(text: string, at: number): boolean {
  const [first, second] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return second >= 0xdc00 && second <= 0xdfff && first >= 0xd800 && first <= 0xdbff;
}
