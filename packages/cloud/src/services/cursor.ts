import { invalid } from "@penstock/model";

/** A cursor says after what an answer goes on. Encoded, so that nobody builds on its shape. */
export function cursorOf(text: string): string {
  return Buffer.from(`1 ${text}`, "utf8").toString("base64url");
}

/** @throws AppError input/invalid for what is not from an answer */
export function textOfCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (!text.startsWith("1 ")) throw invalid([{ field: "cursor", value: cursor, rule: "must be one from an answer" }]);
  return text.slice(2);
}
