import type { Mode } from "./ast.ts";
import { type Span, sqlError } from "./sql-error.ts";
import { type Token, tokenize } from "./token.ts";

/** Expressions inside expressions, so that no query ends the stack. */
const deepest = 200;

/** A place in the tokens of a query that moves forward. */
export class Cursor {
  readonly sql: string;
  readonly mode: Mode;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(sql: string, mode: Mode) {
    this.sql = sql;
    this.mode = mode;
    this.#tokens = tokenize(sql, mode);
  }

  get next(): Token {
    return this.#tokens[this.#at]!;
  }

  /** the one after `next` */
  get second(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  /** Takes the next token if it is this keyword or symbol. */
  takeIf(text: string): Token | null {
    return this.isNext(text) ? this.take() : null;
  }

  isNext(text: string): boolean {
    const { kind, text: found } = this.next;
    return (kind === "keyword" || kind === "symbol") && found === text;
  }

  /** A word that is no keyword, such as STREAM; compared without case. */
  takeWordIf(text: string): Token | null {
    const { kind, text: found } = this.next;
    return kind === "word" && found.toUpperCase() === text ? this.take() : null;
  }

  expect(text: string, where: string): Token {
    const token = this.takeIf(text);
    if (token === null) throw this.wrong(`${text} is missing ${where}`);
    return token;
  }

  /** A name, plain or in back-ticks. */
  name(what: string): Token {
    const { kind, text } = this.next;
    if (kind === "word" || kind === "quoted") return this.take();
    throw this.wrong(
      `${what} is missing`,
      kind === "keyword" ? `${text} is a word of SQL: write \`${text}\`` : undefined,
    );
  }

  wrong(what: string, hint?: string, at: Span = this.next): Error {
    return sqlError(this.sql, at, what, hint);
  }

  /** Runs a piece that may contain itself. */
  nested<T>(read: () => T): T {
    if (++this.#depth > deepest) throw this.wrong(`expressions are nested more than ${deepest} deep`);
    const result = read();
    this.#depth--;
    return result;
  }
}
