import { basics } from "./basics.ts";
import { joinTable } from "./join-table.ts";
import { joins } from "./joins.ts";
import { moreWindows } from "./more-windows.ts";
import type { QueryCase } from "./query-case.ts";
import { refused } from "./refused.ts";
import { windows } from "./windows.ts";

/** Every case by its topic. */
export const allCases: Readonly<Record<string, readonly QueryCase[]>> = {
  ...{ basics, joins, joinTable, moreWindows, refused, windows },
};
