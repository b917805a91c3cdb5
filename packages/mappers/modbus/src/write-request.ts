import { AppError, type Value } from "@penstock/model";
import {
  encodeWriteCoil,
  encodeWriteCoils,
  encodeWriteRegister,
  encodeWriteRegisters,
  type WriteRequest,
} from "./pdu.ts";
import type { ResolvedPoint, Visitor } from "./point.ts";
import { registerBytes } from "./registers.ts";

/**
 * The question that writes a value.
 *
 * @throws AppError mapper/value-out-of-range when the value does not fit; mapper/unsupported where nothing can be written
 */
export function writeRequest(point: ResolvedPoint, value: Value, writeWith: Visitor["writeWith"]): WriteRequest {
  const { table, start, length, raw, wordOrder, conversion } = point;
  if (table === "discrete" || table === "input") {
    throw new AppError("mapper/unsupported", `Cannot write ${table} ${start}: the protocol has no function for it`);
  }
  if (point.bit !== null) {
    // Reading the register, changing one bit and writing it back would undo what the device changes in between.
    throw new AppError(
      "mapper/unsupported",
      `Cannot write bit ${point.bit} of holding ${start}: write the whole register`,
    );
  }
  const counts = conversion.toRaw(value);
  if (raw === "bit") {
    return writeWith === "multiple"
      ? encodeWriteCoils(start, [counts === true])
      : encodeWriteCoil(start, counts === true);
  }
  if (writeWith === "single" && length !== 1) {
    throw new AppError("mapper/unsupported", `Cannot write "${raw}" with function 6: it takes ${length} registers`);
  }
  const bytes = registerBytes(raw, wordOrder, counts as number | bigint); // toRaw of a number type gives a number
  return length === 1 && writeWith !== "multiple"
    ? encodeWriteRegister(start, bytes)
    : encodeWriteRegisters(start, bytes);
}
