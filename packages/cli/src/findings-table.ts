import type { Contract, ResponseOf } from "@penstock/api";
import { tableText } from "./print-table.ts";

export type Findings = ResponseOf<Contract["kubeedge"]["routes"]["exportDevice"]>["findings"];

/** What a translation changed, lost or refused, the gravest last, where people still see it. */
export function findingsText(findings: Findings): string {
  const order = ["note", "lossy", "refused"];
  const sorted = [...findings].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  const rows = sorted.map(({ document, field, value, level, why, todo }) => [level, document, field, value, why, todo]);
  return tableText(["level", "document", "field", "value", "why", "what to do"], rows);
}
