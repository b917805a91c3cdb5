import {
  formatMicros,
  type Json,
  type Micros,
  type NodeIdentity,
  type PropertyHold,
  type ValueType,
  valueToJson,
} from "@penstock/model";
import type { Insertable, Selectable } from "kysely";
import type { HoldsTable } from "../state-schema.ts";
import { chunksOf } from "./chunks-of.ts";
import type { Reader, ServiceContext } from "./context.ts";
import type { DesiredView } from "./desired-news.ts";

export type HoldRow = Selectable<HoldsTable>;
export interface HoldView {
  holder: string;
  type: ValueType;
  value: Json;
  since: string;
  until: string | null;
}

/** Who holds properties at the gateways: as each last said, whole, so that nothing stands that it has released. */
export function createHolds(context: Pick<ServiceContext, "db">) {
  const { db } = context;

  async function ofNode(reader: Reader, { tenant, node }: NodeIdentity): Promise<HoldRow[]> {
    return reader
      .selectFrom("holds")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("node_uid", "=", node)
      .execute();
  }

  return {
    /** Durable when it resolves; a device that is not the node's is left out. */
    async take(identity: NodeIdentity, holds: readonly PropertyHold[]): Promise<void> {
      const { tenant, node } = identity;
      const wanted = new Map(holds.map((hold) => [`${hold.device}/${hold.property}`, rowOf(identity, hold)]));
      await db.transaction().execute(async (trx) => {
        const before = await ofNode(trx, identity);
        const own = await trx
          .selectFrom("assignments")
          .select("device_uid")
          .where("tenant_uid", "=", tenant)
          .where("node_uid", "=", node)
          .where("ended_at", "is", null)
          .execute();
        const devices = new Set(own.map(({ device_uid }) => device_uid));
        const rows = [...wanted.values()].filter(({ device_uid }) => devices.has(device_uid));
        if (textOf(before) === textOf(rows)) return;
        await trx.deleteFrom("holds").where("tenant_uid", "=", tenant).where("node_uid", "=", node).execute();
        for (const chunk of chunksOf(rows)) {
          await trx
            .insertInto("holds")
            .values(chunk)
            .onConflict((conflict) =>
              conflict.columns(["tenant_uid", "device_uid", "property"]).doUpdateSet((eb) => ({
                node_uid: eb.ref("excluded.node_uid"),
                holder: eb.ref("excluded.holder"),
                type: eb.ref("excluded.type"),
                value: eb.ref("excluded.value"),
                since: eb.ref("excluded.since"),
                until: eb.ref("excluded.until"),
              })),
            )
            .execute();
        }
      });
    },

    /** of one device, by property */
    async ofDevice(tenant: string, device: string): Promise<Map<string, HoldView>> {
      const rows = await db
        .selectFrom("holds")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("device_uid", "=", device)
        .execute();
      return new Map(rows.map((row) => [row.property, viewOf(row)]));
    },
  };
}
export type Holds = ReturnType<typeof createHolds>;

/** A desired value that waits because somebody at the gateway holds the property says so. */
export function withHold(view: DesiredView, hold: HoldView | undefined): DesiredView {
  if (hold === undefined || (view.state !== "pending" && view.state !== "sent")) return view;
  const message = `${hold.holder} holds the property since ${hold.since}; the value waits until ${view.expiresAt}`;
  return { ...view, reason: "twin/held", message };
}

function rowOf({ tenant, node }: NodeIdentity, hold: PropertyHold): Insertable<HoldsTable> {
  const { device, property, holder, type, value, since, until } = hold;
  const json = value === null ? null : JSON.stringify(valueToJson(type, value));
  return {
    ...{ tenant_uid: tenant, device_uid: device, property, node_uid: node },
    ...{ holder, type, value: json, since, until },
  };
}

function viewOf(row: HoldRow): HoldView {
  return {
    holder: row.holder,
    type: row.type as ValueType,
    value: row.value === null ? null : (JSON.parse(row.value) as Json),
    since: formatMicros(row.since as Micros),
    until: row.until === null ? null : formatMicros(row.until as Micros),
  };
}

function textOf(rows: readonly Insertable<HoldsTable>[]): string {
  const lines = rows.map((row) =>
    JSON.stringify([row.device_uid, row.property, row.holder, row.type, row.value, row.since, row.until]),
  );
  return lines.sort().join("\n");
}
