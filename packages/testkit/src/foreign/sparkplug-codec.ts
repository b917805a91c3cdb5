import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { systemPython } from "./system-python.ts";

/** A payload as Google's protobuf prints it: 64-bit integers as decimal text, bytes as base64. */
export interface ForeignPayload {
  readonly timestamp?: string;
  readonly seq?: string;
  readonly metrics?: readonly ForeignMetric[];
}
export interface ForeignMetric {
  readonly name?: string;
  readonly alias?: string;
  readonly timestamp?: string;
  readonly datatype?: number;
  readonly is_null?: boolean;
  readonly properties?: {
    readonly keys: readonly string[];
    readonly values: readonly { readonly type: number; readonly int_value?: number; readonly string_value?: string }[];
  };
  readonly int_value?: number;
  readonly long_value?: string;
  readonly float_value?: number | string;
  readonly double_value?: number | string;
  readonly boolean_value?: boolean;
  readonly string_value?: string;
  readonly bytes_value?: string;
}

/** Sparkplug B read by somebody else's protobuf, with the schema of the specification. Needs python3-protobuf. */
export function foreignSparkplug(payloads: readonly Uint8Array[]): ForeignPayload[] {
  return run(payloads.map((bytes) => ({ decode: Buffer.from(bytes).toString("hex") }))) as ForeignPayload[];
}

export function foreignSparkplugBytes(payload: ForeignPayload): Uint8Array {
  return Buffer.from(String(run([{ encode: payload }])[0]), "hex");
}

function run(lines: readonly object[]): unknown[] {
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const script = join(import.meta.dirname, "sparkplug_codec.py");
  const output = execFileSync(systemPython, [script], { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
