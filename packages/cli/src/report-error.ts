import { AppError } from "@penstock/model";
import type { Format } from "./output.ts";
import { clean } from "./print-table.ts";

/**
 * What a failed command says: a sentence, and a line per field; with -o json the same as an object on standard error.
 * `action` is what was being done, for the sentence over fields.
 */
export function errorText(error: unknown, format: Format, action: string | null): string {
  const known = error instanceof AppError ? error : null;
  if (format === "json") {
    return JSON.stringify({
      error: { code: known?.code ?? "internal", message: messageOf(error), fields: known?.fields ?? [] },
    });
  }
  if (known === null) return `Error: ${messageOf(error)}\n${error instanceof Error ? (error.stack ?? "") : ""}`;
  const lines = known.fields.map((f) => `  ${clean(f.field)}: ${clean(f.value)}: ${clean(f.rule)}`);
  const rules = lines.length === 1 ? "a field breaks its rule" : `${lines.length} fields break their rules`;
  const cannot = action === null ? "" : `Cannot ${clean(action)}: `;
  const head = lines.length > 0 ? `Error: ${cannot}${rules}` : `Error: ${known.message}`;
  return [head, ...lines, `Code: ${known.code}`].join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
