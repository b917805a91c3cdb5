import {
  addRange,
  type Epoch,
  limits,
  type Micros,
  missingFrom,
  type NodeIdentity,
  type Ranges,
  type Severity,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmsTable } from "../state-schema.ts";
import type { ServiceContext } from "./context.ts";

export interface LostRange {
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
}
interface Lost {
  readonly total: number;
  /** told already */
  readonly ranges: Ranges;
}

/** @returns the alarm's row when anything of the range is news, else undefined: each hello tells what an outbox lacks again */
export function addLost(
  db: ServiceContext["db"],
  news: {
    readonly identity: NodeIdentity;
    readonly lost: LostRange;
    readonly now: Micros;
    readonly severity: Severity;
  },
): Promise<Selectable<AlarmsTable> | undefined> {
  const { identity, lost, now } = news;
  return db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom("alarms")
      .select(["id", "lost"])
      .where("tenant_uid", "=", identity.tenant)
      .where("node_uid", "=", identity.node)
      .where("code", "=", "ingest/gap")
      .where("key", "=", lost.epoch)
      .where("cleared_at", "is", null)
      .executeTakeFirst();
    const known: Lost = before?.lost == null ? { total: 0, ranges: [] } : (JSON.parse(before.lost) as Lost);
    const fresh = missingFrom(known.ranges, lost.from, lost.to);
    if (fresh.length === 0) return undefined;
    const total = fresh.reduce((sum, [from, to]) => sum + to - from + 1, known.total);
    const { from, to } = lost;
    const message =
      `${total} readings of epoch ${lost.epoch} are lost, ${from}..${to} the last of them: ` +
      "the gateway removed them before the cloud had them";
    const state = JSON.stringify({ total, ranges: bounded(addRange(known.ranges, from, to)) } satisfies Lost);
    if (before !== undefined) {
      return trx
        .updateTable("alarms")
        .set((eb) => ({ last_at: now, count: eb("count", "+", 1), message, lost: state }))
        .where("id", "=", before.id)
        .returningAll()
        .executeTakeFirst();
    }
    return trx
      .insertInto("alarms")
      .values({
        ...{ tenant_uid: identity.tenant, node_uid: identity.node, code: "ingest/gap", key: lost.epoch },
        ...{
          severity: news.severity,
          message,
          raised_at: now,
          last_at: now,
          count: 1,
          state: "unacknowledged",
          lost: state,
        },
      })
      .returningAll()
      .executeTakeFirst();
  });
}

/** The oldest ranges grow together: a loss between two old ones would not be counted, the total before stays as it is. */
function bounded(ranges: Ranges): Ranges {
  const beyond = ranges.length - limits.rangesPerEpoch;
  return beyond <= 0 ? ranges : [[ranges[0]![0], ranges[beyond]![1]], ...ranges.slice(beyond + 1)];
}
