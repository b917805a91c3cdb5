import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import type { Compression } from "../define-function.ts";
import { utf8Of } from "../text/part-arguments.ts";

const methods: ReadonlySet<string> = new Set(["gzip", "zlib", "flate", "zstd"] satisfies Compression[]);

/** @throws RowError */
export function methodOf(name: string, method: Value): Compression {
  if (methods.has(method as string)) return method as Compression;
  throw new RowError(`Cannot call ${name}: there is no method ${shown(method)}, but ${[...methods].join(", ")}`);
}

/** Packing begins with tables that cost more than a small text. */
export function countPacking(bytes: number): void {
  effort.spend(10_000);
  effort.eachChar(bytes);
}

export function packedOf(of: Value): Uint8Array {
  return typeof of === "string" ? utf8Of(of) : (of as Uint8Array);
}
