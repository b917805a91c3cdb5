import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";

/** The only encoding there is. @throws RowError */
export function checkEncoding(name: string, encoding: string): void {
  if (encoding.toLowerCase() === "base64") return;
  throw new RowError(`Cannot call ${name}: there is no encoding ${shown(encoding)}, only 'base64'`);
}
