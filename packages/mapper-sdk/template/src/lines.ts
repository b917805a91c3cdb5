import {
  AppError,
  type ErrorCode,
  type PointResult,
  type Value,
  type ValueType,
  valueFromText,
  valueToText,
} from "@penstock/mapper-sdk";

/**
 * The bytes of the protocol, without a socket. A question is a line, its number before it:
 *
 *   7 GET <unit> <register>            7 = <value>      or   7 ! <reason>
 *   8 SET <unit> <register> <value>    8 = <value>      or   8 ! <reason>
 */
export type Answer =
  | { readonly number: number; readonly ok: true; readonly text: string }
  | { readonly number: number; readonly ok: false; readonly text: string; readonly code: ErrorCode };

const answerLine = /^(\d{1,15}) ([=!]) (\S{1,64})$/;

/** What the manual says of refusals, in Penstock's codes. */
const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ["register", "mapper/bad-address"],
  ["locked", "mapper/access-denied"],
  ["value", "mapper/value-refused"],
]);

/** Registers hold numbers up to this, either side of zero. */
const most = 1_000_000;

export function parseAnswer(line: string): Answer | null {
  const [, number, sign, text] = answerLine.exec(line) ?? [];
  if (number === undefined || text === undefined) return null;
  if (sign === "=") return { number: Number(number), ok: true, text };
  return { number: Number(number), ok: false, text, code: codes.get(text) ?? "mapper/device-failure" };
}

export function getLine(unit: number, register: number): string {
  return `GET ${unit} ${register}`;
}

/** @throws AppError mapper/value-out-of-range before anything is sent, for what no register can hold */
export function setLine(write: { unit: number; register: number; type: ValueType; value: Value }): string {
  const { unit, register, type, value } = write;
  const number = Number(value);
  if (value === null || typeof value === "object" || !(Math.abs(number) <= most)) {
    throw new AppError("mapper/value-out-of-range", `Cannot write register ${register}: must be -${most}..${most}`);
  }
  return `SET ${unit} ${register} ${typeof value === "boolean" ? Number(value) : valueToText(type, value)}`;
}

/** A value of the property's type, or none with the reason: never a guess. */
export function readValue(answer: Answer, type: ValueType): PointResult {
  if (!answer.ok) return { value: null, reason: answer.code };
  const isSwitch = type === "bool" && (answer.text === "0" || answer.text === "1");
  const parsed = valueFromText(type, isSwitch ? String(answer.text === "1") : answer.text);
  return parsed.ok ? { value: parsed.value } : { value: null, reason: "mapper/bad-answer" };
}
