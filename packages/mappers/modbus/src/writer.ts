import { AppError, codeOf } from "@penstock/model";
import { ModbusException } from "./exception.ts";
import type { Line } from "./line.ts";
import { checkWritten, decodeRead, encodeRead, encodeWriteRegister, functions, type WriteRequest } from "./pdu.ts";
import type { ResolvedPoint } from "./resolve-point.ts";
import { type JoinedWrite, joinWrites, maskOf, type PlannedWrite, writeRequest } from "./write-request.ts";

interface Turn {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Writes values of one holder of a line, several in one question where they lie side by side. */
export class Writer {
  readonly #line: Line;
  /** units that have said that they do not have function 22 */
  readonly #withoutMask = new Set<number>();
  /** end of the newest read-modify-write: two at once on one register would undo each other */
  #modified: Promise<unknown> = Promise.resolve();

  constructor(line: Line) {
    this.#line = line;
  }

  /**
   * One outcome for each, by row, into `outcomes`.
   *
   * @throws AppError when the line ended before anything was written
   */
  async writeAll(writes: readonly PlannedWrite[], outcomes: (AppError | null)[], turn: Turn): Promise<void> {
    const questions = joinWrites(writes);
    let isAnyWritten = false;
    while (questions.length > 0) {
      const question = questions.shift()!;
      const error = await this.#outcomeOf(question, turn);
      if (error === null) {
        isAnyWritten = true;
        for (const { row } of question) outcomes[row] = null;
        continue;
      }
      const isOver = error.code === "mapper/connection-lost" || error.code === "aborted" || error.code === "internal";
      if (isOver && !isAnyWritten) throw error;
      const parts = isOver ? null : halves(question, error);
      if (parts !== null) questions.unshift(...parts);
      else for (const { row } of question) outcomes[row] = error;
    }
  }

  async #outcomeOf(question: JoinedWrite, turn: Turn): Promise<AppError | null> {
    try {
      await this.#make(question, turn);
      return null;
    } catch (error) {
      if (error instanceof AppError) return error;
      return new AppError(codeOf(error), `Cannot write: ${String(error)}`, { cause: error });
    }
  }

  async #make(question: JoinedWrite, turn: Turn): Promise<void> {
    const { point, data } = question[0]!;
    const { unit, writeWith } = point;
    if (data.is !== "mask" || writeWith !== "readModifyWrite") return this.#ask(unit, writeRequest(question), turn);
    if (!this.#withoutMask.has(unit)) {
      try {
        await this.#ask(unit, writeRequest(question), turn);
        return;
      } catch (error) {
        if (codeOf(error) !== "mapper/function-unsupported") throw error;
        this.#withoutMask.add(unit);
      }
    }
    const done = this.#modified.then(() => this.#modify(point, maskOf(question), turn));
    this.#modified = done.catch(() => {});
    return done;
  }

  /** What the device changes between the read and the write is undone: for those who said that they can live with it. */
  async #modify({ unit, start }: ResolvedPoint, { bits, value }: { bits: number; value: number }, turn: Turn) {
    const answer = await this.#line.ask({ unit, pdu: encodeRead("holding", start, 1), ...turn });
    const [high = 0, low = 0] = decodeRead("holding", 1, answer.pdu);
    const word = ((high * 256 + low) & ~bits) | value;
    await this.#ask(unit, encodeWriteRegister(start, Uint8Array.of(word >> 8, word & 255)), turn);
  }

  async #ask(unit: number, request: WriteRequest, turn: Turn): Promise<void> {
    const answer = await this.#line.ask({ unit, pdu: request.pdu, ...turn });
    checkWritten(request, answer.pdu);
  }
}

/** A device refuses a question as a whole; halves find which of its values it means. Busy devices mean none of them. */
function halves(question: JoinedWrite, error: AppError): readonly JoinedWrite[] | null {
  const isRefused = error instanceof ModbusException || error.code === "mapper/value-refused";
  if (question.length === 1 || !isRefused || error.code === "mapper/device-busy") return null;
  if (error.code === "mapper/gateway-no-response") return null;
  // A device without functions 15 and 16 may have 5 and 6.
  if (error.code === "mapper/function-unsupported" && !isMultiple(question)) return null;
  const middle = question.length >> 1;
  return [question.slice(0, middle), question.slice(middle)];
}

function isMultiple(question: JoinedWrite): boolean {
  const code = writeRequest(question).pdu[0];
  return code === functions.writeMultipleCoils || code === functions.writeMultipleRegisters;
}
