import { limits } from "@penstock/model";
import { type Answer, charsOfAnswer, type LookupRow, type ObjectValue, type Value } from "@penstock/rules";

/** answers in one input of the rule */
const answersMost = 200;

/**
 * Under which the answers of a lookup table come to its rule, as rows of a stream that is nobody else's.
 *
 * @param rule its uid
 */
export function answerStream(rule: string, table: string): string {
  return `lookup ${rule} ${table}`;
}

/** What has come of questions as rows, so that it is journaled and fed again like any row. */
export function answerRows(answers: readonly Answer[]): readonly ObjectValue[] {
  const rows: { readonly answers: Value[] }[] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    const size = "failure" in answer ? answer.failure.length : charsOfAnswer(answer.rows);
    const last = rows.at(-1);
    const one: Value = "failure" in answer ? [answer.key, null, answer.failure] : [answer.key, answer.rows];
    if (last !== undefined && chars + size <= limits.lookupAnswerChars && last.answers.length < answersMost) {
      last.answers.push(one);
      chars += size;
      continue;
    }
    rows.push({ answers: [one] });
    chars = size;
  }
  return rows;
}

/** The answers in such a row. */
export function answersIn(table: string, { answers }: ObjectValue): readonly Answer[] {
  const listed = answers as unknown as readonly (readonly [string, readonly LookupRow[] | null, string?])[];
  return listed.map(([key, rows, failure = ""]) => (rows === null ? { table, key, failure } : { table, key, rows }));
}
