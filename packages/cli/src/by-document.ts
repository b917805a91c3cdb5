import { AppError } from "@penstock/model";
import { type Document, documentText } from "./check-documents.ts";

/** "changes[3].spec.node" of the fourth document is 'Device "press" spec.node'. */
export function byDocument(error: unknown, documents: readonly Document[]): unknown {
  if (!(error instanceof AppError) || error.fields.length === 0) return error;
  const fields = error.fields.map((one) => {
    const [, index, rest = ""] = /^changes\[(\d+)\]\.?(.*)$/.exec(one.field) ?? [];
    const document = index === undefined ? undefined : documents[Number(index)];
    return document === undefined ? one : { ...one, field: `${documentText(document)} ${rest}`.trimEnd() };
  });
  return new AppError(error.code, error.message, { cause: error, fields });
}
