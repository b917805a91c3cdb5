import type { Row } from "./resource-rows.ts";

/** The document that stores a row with another spec and leaves the rest of it as it is. */
export function rowDocument(row: Row, spec: unknown): unknown {
  const labels = JSON.parse(row.labels) as Record<string, string>;
  return {
    metadata: { name: row.name, labels, ...(row.display_name === null ? {} : { displayName: row.display_name }) },
    spec,
  };
}
