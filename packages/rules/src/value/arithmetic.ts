import type { ArithmeticOp, Mode } from "../parse/ast.ts";
import { RowError } from "./row-error.ts";
import { kindOf, shown, type Value } from "./value.ts";

/**
 * `left op right`. Null with anything is null. Two integers make an integer, division cuts towards zero; an integer and a
 * float make a float. In compat mode an integer that does not fit 64 bits begins again from below, as Go has it.
 *
 * @throws RowError for kinds that are no numbers, division by zero, and in strict mode for what does not fit 64 bits
 */
export function calculate(op: ArithmeticOp, left: Value, right: Value, mode: Mode): Value {
  if (left === null || right === null || left === undefined || right === undefined) return null;
  if (typeof left === "bigint" && typeof right === "bigint") return integer(op, left, right, mode);
  const isBits = op === "&" || op === "|" || op === "^";
  if (isNumeric(left) && isNumeric(right) && !isBits) return float(op, Number(left), Number(right));
  const hint = op === "+" && typeof left === "string" ? "; concat(a, b) joins texts" : "";
  throw new RowError(
    `Cannot calculate ${kindOf(left)} ${shown(left)} ${op} ${kindOf(right)} ${shown(right)}: ${isBits ? "both must be integers" : "both must be numbers"}${hint}`,
  );
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function integer(op: ArithmeticOp, left: bigint, right: bigint, mode: Mode): bigint {
  const exact = whole(op, left, right);
  const fit = BigInt.asIntN(64, exact);
  if (fit === exact || mode === "compat") return fit;
  throw new RowError(
    `Cannot calculate ${left} ${op} ${right}: the result does not fit 64 bits; cast(x, 'float') gives room`,
  );
}

function whole(op: ArithmeticOp, left: bigint, right: bigint): bigint {
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "&":
      return left & right;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    default:
  }
  if (right === 0n) throw divided(left, op);
  return op === "/" ? left / right : left % right;
}

function float(op: ArithmeticOp, left: number, right: number): number {
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
  }
  if (right === 0) throw divided(left, op);
  return op === "/" ? left / right : left % right;
}

function divided(left: number | bigint, op: ArithmeticOp): RowError {
  return new RowError(`Cannot calculate ${left} ${op} 0: division by zero`);
}
