/** Ways that the bounded repetitions of a pattern may be combined in, at most. */
const mostWays = 1000;
/** Times that something is to be repeated, at most. */
const mostTimes = 256;

/**
 * Whether a regular expression surely ends its search in time that grows with the length of the text alone: begun with ^,
 * at most one repetition without an end, none of them in another one, and nothing that looks back or ahead. Patterns beyond
 * that may be harmless too; this does not find out.
 *
 * @source ECMA-262, 2024, 22.2.1, as far as it is read here; what is not known is not safe
 */
export function isSafePattern(pattern: string): boolean {
  if (pattern.length > 256 || !pattern.startsWith("^")) return false;
  const reader: Reader = { text: pattern, at: 1 };
  const cost = readAlternatives(reader, 0);
  if (cost === null || reader.at !== pattern.length) return false;
  // "^a|b" begins its second branch anywhere.
  if (cost.branches > 1) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return cost.endless <= 1 && cost.ways <= mostWays;
}

interface Reader {
  readonly text: string;
  at: number;
}
interface Cost {
  /** repetitions without an end */
  readonly endless: number;
  /** ways to split a text among the bounded ones and the branches */
  readonly ways: number;
  readonly branches: number;
}
const single: Cost = { endless: 0, ways: 1, branches: 1 };

function readAlternatives(reader: Reader, depth: number): Cost | null {
  let endless = 0;
  let ways = 0;
  let branches = 0;
  for (;;) {
    const branch = readSequence(reader, depth);
    if (branch === null) return null;
    endless = Math.max(endless, branch.endless);
    ways += branch.ways;
    branches += 1;
    if (reader.text[reader.at] !== "|") return { endless, ways, branches };
    reader.at += 1;
  }
}

function readSequence(reader: Reader, depth: number): Cost | null {
  let { endless, ways } = single;
  while (reader.at < reader.text.length && !"|)".includes(reader.text[reader.at]!)) {
    const atom = readAtom(reader, depth);
    if (atom === null) return null;
    const repeated = readRepetition(reader, atom);
    if (repeated === null) return null;
    endless += repeated.endless;
    ways *= repeated.ways;
  }
  return { endless, ways, branches: 1 };
}

function readAtom(reader: Reader, depth: number): Cost | null {
  const { text } = reader;
  const first = text[reader.at]!;
  if (first === "(") {
    if (depth === 5) return null;
    reader.at += 1;
    if (text[reader.at] === "?") {
      if (!text.startsWith("?:", reader.at)) return null;
      reader.at += 2;
    }
    const inner = readAlternatives(reader, depth + 1);
    if (inner === null || text[reader.at] !== ")") return null;
    reader.at += 1;
    return inner;
  }
  const atom = /(?:\[(?:\\.|[^\]\\])*\]|\\[dDwWsStnr.\\/^$*+?()[\]{}|-]|[^\\[*+?{}()|])/uy;
  atom.lastIndex = reader.at;
  const found = atom.exec(text);
  if (found === null) return null;
  reader.at = atom.lastIndex;
  return single;
}

function readRepetition(reader: Reader, atom: Cost): Cost | null {
  const repetition = /(?:[*+?]|\{(\d{1,4})(,(\d{1,4})?)?\})\??/y;
  repetition.lastIndex = reader.at;
  const found = repetition.exec(reader.text);
  if (found === null) return atom;
  reader.at = repetition.lastIndex;
  const [mark, from, range, to] = found;
  if (mark.startsWith("?")) return { ...atom, ways: atom.ways + 1 };
  const isPlain = atom.endless === 0 && atom.ways === 1;
  if (!mark.startsWith("{") || (range !== undefined && to === undefined)) {
    return isPlain ? { ...atom, endless: 1 } : null;
  }
  const [least, most] = [Number(from), Number(to ?? from)];
  if (most > mostTimes || (atom.endless > 0 && most > 1)) return null;
  return { ...atom, ways: atom.ways ** most * (most - least + 1) };
}
