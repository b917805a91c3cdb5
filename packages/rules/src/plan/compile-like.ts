import type { Expr, Like, Mode } from "../parse/ast.ts";
import { effort } from "../run/effort.ts";
import type { Evaluate } from "../run/frame.ts";
import { RowError } from "../value/row-error.ts";
import { kindOf, shown, type Value } from "../value/value.ts";

/** `%` any text, `_` any character. Null on the left is an error in compat mode, and unknown in strict. */
export function compileLike({ of, pattern, isNot }: Like, mode: Mode, compile: (expr: Expr) => Evaluate): Evaluate {
  const left = compile(of);
  const right = compile(pattern);
  const fixed = pattern.t === "literal" && typeof pattern.value === "string" ? likePattern(pattern.value) : null;
  return (frame) => {
    const value = left(frame);
    if ((value === null || value === undefined) && mode === "strict") return null;
    const text = textOf(value, "LIKE");
    if (fixed !== null) return fixed(text) !== isNot;
    const wanted = right(frame);
    if ((wanted === null || wanted === undefined) && mode === "strict") return null;
    return likePattern(textOf(wanted, "LIKE"))(text) !== isNot;
  };
}

function textOf(value: Value, where: string): string {
  if (typeof value === "string") return value;
  throw new RowError(`Cannot use ${kindOf(value)} ${shown(value)} with ${where}: it must be a text`);
}

/** Compares with pieces between the `%`, each found as early as it can be: in time that grows with text × pattern at most. */
export function likePattern(pattern: string): (text: string) => boolean {
  const pieces = pattern.split("%").map((piece) => [...piece]);
  const isAnchored = pieces.length === 1;
  return (text) => {
    effort.eachChar(text.length);
    const letters = [...text];
    const [first, ...rest] = pieces as [string[], ...string[][]];
    if (!fits(letters, 0, first)) return false;
    if (isAnchored) return letters.length === first.length;
    const last = rest.pop()!;
    let at = first.length;
    for (const piece of rest) {
      while (at + piece.length <= letters.length && !fits(letters, at, piece)) at++;
      if (at + piece.length > letters.length) return false;
      at += piece.length;
    }
    return letters.length - last.length >= at && fits(letters, letters.length - last.length, last);
  };
}

function fits(letters: readonly string[], at: number, piece: readonly string[]): boolean {
  if (at + piece.length > letters.length) return false;
  let same = 0;
  while (same < piece.length && (piece[same] === "_" || piece[same] === letters[at + same])) same++;
  effort.parts(1 + same);
  return same === piece.length;
}
