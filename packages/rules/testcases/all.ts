import { basics } from "./basics.ts";
import { eventTime } from "./event-time.ts";
import { expressions } from "./expressions.ts";
import { joinTable } from "./join-table.ts";
import { joins } from "./joins.ts";
import { moreWindows } from "./more-windows.ts";
import type { QueryCase } from "./query-case.ts";
import { refused } from "./refused.ts";
import { statements } from "./statements.ts";
import { surprises } from "./surprises.ts";
import { tables } from "./tables.ts";
import { windowKinds } from "./window-kinds.ts";
import { windows } from "./windows.ts";

/** Every case by its topic. */
export const allCases: Readonly<Record<string, readonly QueryCase[]>> = {
  ...{
    basics,
    expressions,
    joins,
    joinTable,
    moreWindows,
    refused,
    statements,
    surprises,
    eventTime,
    tables,
    windowKinds,
    windows,
  },
};
