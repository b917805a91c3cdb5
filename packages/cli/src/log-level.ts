import { invalid } from "@penstock/model";
import type { LogLevel } from "@penstock/runtime";

const levels = ["trace", "debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

export function logLevel(text: string): LogLevel {
  const found = levels.find((level) => level === text);
  if (found !== undefined) return found;
  const field = { field: "--log-level", value: text, rule: `must be one of ${levels.join(", ")}` };
  throw invalid([field]);
}
