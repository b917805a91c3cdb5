import { limits } from "@penstock/model";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { BoundedCache } from "../bounded-cache.ts";
import { type PathToken, readPathTokens } from "./part-json-path-tokens.ts";

export type PathExpr =
  | { readonly t: "literal"; readonly value: Value }
  | { readonly t: "list"; readonly of: readonly PathExpr[] }
  /** a field of the whole value */
  | { readonly t: "name"; readonly name: string }
  | { readonly t: "path"; readonly from: "$" | "@"; readonly steps: readonly PathStep[] }
  | { readonly t: "unary"; readonly op: "-" | "!"; readonly of: PathExpr }
  | { readonly t: "binary"; readonly op: string; readonly left: PathExpr; readonly right: PathExpr };

/** `key` leads to one value at most, the others to any number. */
export type PathStep =
  | { readonly t: "key"; readonly key: PathExpr }
  | { readonly t: "keys"; readonly keys: readonly PathExpr[] }
  | { readonly t: "range"; readonly bounds: readonly (PathExpr | null)[] }
  | { readonly t: "filter"; readonly when: PathExpr }
  | { readonly t: "all" }
  /** the value and all that is in it, at any depth */
  | { readonly t: "deep" };

/** Weakest first. @source PaesslerAG/gval 1.2, gval.go */
const operators: readonly (readonly string[])[] = [
  ...[
    ["??"],
    ["||"],
    ["&&"],
    ["==", "!=", "<", "<=", ">", ">=", "=~", "!~", "in"],
    ["+", "-"],
    ["*", "/", "%"],
    ["**"],
  ],
];

const cache = new BoundedCache(256, (text) => new PathParser(text).read());

/**
 * Reads a JSON path in the dialect of PaesslerAG/jsonpath 0.1.1, in time that grows with its length alone. Scripts in round
 * brackets, placeholders (#) and functions are not read.
 *
 * @throws RowError
 */
export function parseJsonPath(text: string): PathExpr {
  if (text.length > limits.jsonPathChars) {
    throw new RowError(`Cannot read a JSON path of ${text.length} characters: more than ${limits.jsonPathChars}`);
  }
  return cache.get(text);
}

const words = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class PathParser {
  readonly #text: string;
  readonly #tokens: readonly PathToken[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = readPathTokens(text, (at, why) => this.#wrong(why, at));
  }

  read(): PathExpr {
    const expr = this.#expression();
    if (this.#next.kind !== "end") throw this.#wrong("the path goes on where it should end");
    return expr;
  }

  get #next(): PathToken {
    return this.#tokens[this.#at]!;
  }

  #wrong(why: string, at = this.#next.at): RowError {
    return new RowError(`Cannot read the JSON path ${JSON.stringify(this.#text)}: ${why}, at character ${at + 1}`);
  }

  #takeIf(symbol: string): boolean {
    const isNext = this.#next.kind === "symbol" && this.#next.text === symbol;
    if (isNext) this.#at++;
    return isNext;
  }

  #expect(symbol: string): void {
    if (!this.#takeIf(symbol)) throw this.#wrong(`${symbol} is missing`);
  }

  #expression(level = 0): PathExpr {
    if (level === operators.length) return this.#prefixed();
    let left = this.#expression(level + 1);
    while (["symbol", "name"].includes(this.#next.kind) && operators[level]!.includes(this.#next.text)) {
      const op = this.#tokens[this.#at++]!.text;
      left = { t: "binary", op, left, right: this.#expression(level + 1) };
    }
    return left;
  }

  #nested<Made>(read: () => Made): Made {
    if (++this.#depth > limits.jsonPathDepth)
      throw this.#wrong(`more than ${limits.jsonPathDepth} expressions in each other`);
    const made = read();
    this.#depth--;
    return made;
  }

  #prefixed(): PathExpr {
    for (const op of ["-", "!"] as const) {
      if (this.#takeIf(op)) return { t: "unary", op, of: this.#nested(() => this.#prefixed()) };
    }
    return this.#primary();
  }

  #primary(): PathExpr {
    const token = this.#next;
    if (token.kind === "number" || token.kind === "string" || token.kind === "name") this.#at++;
    if (token.kind === "number") return { t: "literal", value: Number(token.text) };
    if (token.kind === "string") return { t: "literal", value: token.text };
    if (token.kind === "name") {
      const known = words.get(token.text);
      return known === undefined ? { t: "name", name: token.text } : { t: "literal", value: known };
    }
    for (const from of ["$", "@"] as const) if (this.#takeIf(from)) return { t: "path", from, steps: this.#steps() };
    if (this.#takeIf("(")) {
      const inner = this.#nested(() => this.#expression());
      this.#expect(")");
      return inner;
    }
    if (this.#takeIf("[")) return { t: "list", of: this.#nested(() => this.#list("]")) };
    throw this.#wrong("an expression is missing");
  }

  #list(end: string): PathExpr[] {
    const of: PathExpr[] = [];
    while (!this.#takeIf(end)) {
      if (of.length > 0) this.#expect(",");
      of.push(this.#expression());
    }
    return of;
  }

  #steps(): PathStep[] {
    const steps: PathStep[] = [];
    for (;;) {
      if (this.#takeIf("..")) {
        steps.push({ t: "deep" });
        steps.push(this.#takeIf("[") ? this.#nested(() => this.#bracket()) : this.#field());
      } else if (this.#takeIf(".")) steps.push(this.#field());
      else if (this.#takeIf("[")) steps.push(this.#nested(() => this.#bracket()));
      else return steps;
    }
  }

  #field(): PathStep {
    if (this.#takeIf("*")) return { t: "all" };
    if (this.#next.kind !== "name")
      throw this.#wrong('a field is missing: write ["…"] for a name with other letters in it');
    return { t: "key", key: { t: "literal", value: this.#tokens[this.#at++]!.text } };
  }

  #bracket(): PathStep {
    if (this.#takeIf("*")) {
      this.#expect("]");
      return { t: "all" };
    }
    if (this.#takeIf("?")) {
      const when = this.#expression();
      this.#expect("]");
      return { t: "filter", when };
    }
    const first = this.#isNext(":") ? null : this.#expression();
    if (this.#isNext(":")) return this.#range(first);
    if (this.#takeIf("]")) return { t: "key", key: first! };
    this.#expect(",");
    return { t: "keys", keys: [first!, ...this.#list("]")] };
  }

  #isNext(symbol: string): boolean {
    return this.#next.kind === "symbol" && this.#next.text === symbol;
  }

  #range(first: PathExpr | null): PathStep {
    const bounds = [first];
    while (this.#takeIf(":")) bounds.push(this.#isNext(":") || this.#isNext("]") ? null : this.#expression());
    if (bounds.length > 3) throw this.#wrong("a range is [from:to:step]");
    this.#expect("]");
    return { t: "range", bounds };
  }
}
