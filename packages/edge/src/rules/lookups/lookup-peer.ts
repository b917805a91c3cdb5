import { limits } from "@penstock/model";
import { charsOfAnswer, type LookupRow, type ObjectValue } from "@penstock/rules";

/** Rows, none of them too; or why there will be none, whoever asks again. */
export type PeerAnswer = readonly LookupRow[] | { readonly failure: string };

/** Who is asked: a server of one kind. It connects when it is first asked, and anew after a failure. */
export interface LookupPeer {
  /** "redis://10.0.4.2", without who logs in */
  readonly name: string;
  /** questions that go together */
  readonly most: number;
  /**
   * One answer for each question, in their order. Ends when the signal does.
   *
   * @param questions  columns and the values that they have to have
   * @throws AppError rules/sink-refused: all of them are refused, whoever asks again; everything else: nobody answers now
   */
  ask(questions: readonly ObjectValue[], signal: AbortSignal): Promise<readonly PeerAnswer[]>;
  close(): Promise<void>;
}

/** An answer that a rule can keep. */
export function bounded(rows: readonly LookupRow[]): PeerAnswer {
  if (rows.length > limits.lookupRows) return { failure: `more than ${limits.lookupRows} rows have these values` };
  if (charsOfAnswer(rows) <= limits.lookupAnswerChars) return rows;
  return { failure: `the answer has more than ${limits.lookupAnswerChars} characters` };
}
