import {
  AppError,
  type DesiredReport,
  type DesiredState,
  type DesiredValue,
  type DeviceSpec,
  type DeviceUid,
  desiredFromJson,
  effectiveProperty,
  type Json,
  limits,
  type NodeUid,
  type TenantUid,
  type ValueType,
  valueFromJson,
  valueToJson,
} from "@penstock/model";
import { audit } from "./audit.ts";
import type { Caller, ServiceContext, Trx } from "./context.ts";
import { createDesiredExpiry } from "./desired-expiry.ts";
import {
  createDesiredNews,
  type DesiredChange,
  type DesiredView,
  type DesiredRow as Row,
  unfinished,
  viewOf,
} from "./desired-news.ts";
import { endMisfits } from "./desired-retyped.ts";
import { isNews, isSettled } from "./desired-state.ts";
import { timesAfter } from "./desired-times.ts";
import { createDesiredWait } from "./desired-wait.ts";
import { findDevice, propertyOf } from "./device-lookup.ts";
import { mustFind } from "./device-references.ts";
import { durationOf } from "./duration-of.ts";
import { type Holds, withHold } from "./holds.ts";
import { recall, remember } from "./idempotency.ts";
import type { Names } from "./names.ts";

export interface PropertyRef {
  readonly tenant: string;
  readonly device: string;
  readonly property: string;
}
export interface SetRequest {
  /** JSON as it came in */
  readonly value: unknown;
  /** duration; 60 s unless stated, counted from acceptance */
  readonly ttl?: string | undefined;
  /** duration; how long to wait for the outcome, 0 unless stated */
  readonly wait?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** told the id that trace lines carry, as soon as the value has one */
  readonly onTraceId?: ((id: string) => void) | undefined;
}
const defaultTtlMs = 60_000;

/**
 * Desired values, one row per property with the highest version. On disk before anybody is told; a newer one supersedes an
 * unfinished one; what is not confirmed in its time expires, also over a restart of the cloud.
 */
export function createDesired(context: ServiceContext, parts: { readonly names: Names; readonly holds: Holds }) {
  const { db, clock, nudger, log } = context;
  const news = createDesiredNews(parts.names, log);
  const expiry = createDesiredExpiry(context, news);
  const { current, outcome } = createDesiredWait(context, news);
  const accepted = context.metrics.counter("penstock_services_desired_accepted_total", "Desired values accepted");

  return {
    async get(caller: Caller, ref: PropertyRef): Promise<DesiredView> {
      const device = await findDevice(db, caller, ref);
      propertyOf(device, ref.property);
      const row = await current(device.tenant, device.row.uid, ref.property);
      if (row === undefined) {
        throw new AppError("resource/not-found", `Property "${ref.property}" of "${ref.device}" has no desired value`);
      }
      const holds = await parts.holds.ofDevice(device.tenant, device.row.uid);
      return withHold(viewOf(row, ref.device), holds.get(ref.property));
    },

    /** of one device, by property */
    async ofDevice(tenant: TenantUid, device: string, name: string): Promise<Map<string, DesiredView>> {
      const rows = await db
        .selectFrom("desired")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("device_uid", "=", device)
        .execute();
      const holds = await parts.holds.ofDevice(tenant, device);
      return new Map(rows.map((row) => [row.property, withHold(viewOf(row, name), holds.get(row.property))]));
    },

    /**
     * Accepts a desired value and waits for its outcome.
     *
     * @returns isSettled false: the wait ran out, and the view says how far it has come
     * @throws AppError of the reason when it failed, expired or was superseded within the wait
     */
    async set(
      caller: Caller,
      ref: PropertyRef,
      request: SetRequest,
    ): Promise<{ view: DesiredView; isSettled: boolean }> {
      const ttlMs = durationOf(request.ttl, "ttl", {
        least: 100,
        most: limits.desiredTtlMaxMs,
        otherwise: defaultTtlMs,
      });
      const waitMs = durationOf(request.wait, "wait", { least: 0, most: limits.desiredWaitMaxMs, otherwise: 0 });
      const { device, isWriteOnly, version, node, row } = await db.transaction().execute(async (trx) => {
        // Within the transaction: a device that is deleted, moved or changed meanwhile must not get a value for what it was.
        const device = await findDevice(trx, caller, ref);
        const property = effectiveProperty(ref.property, propertyOf(device, ref.property));
        const json = JSON.stringify(valueToJson(property.type, desiredFromJson(property, request.value as Json)));
        const isWriteOnly = property.access === "write";
        const keyed = {
          key: request.idempotencyKey ?? "",
          tenant: device.tenant,
          caller,
          request: ["desired", device.row.uid, ref.property, json, ttlMs],
        };
        const now = clock.now();
        const node = await mustFind(trx, {
          tenant: device.tenant,
          kind: "Node",
          name: device.spec.node,
          field: "node",
        });
        if (request.idempotencyKey !== undefined) {
          const before = await recall<{ version: number }>(trx, keyed, now);
          if (before !== null) return { device, isWriteOnly, version: before.version, node, row: null };
        }
        const values = {
          node_uid: node.uid,
          type: property.type,
          value: json,
          state: "pending",
          reason: null,
          message: null,
          reported_value: null,
          requested_by: caller.name,
          requested_at: now,
          updated_at: now,
          expires_at: now + ttlMs * 1000,
          taken_at: null,
          written_at: null,
          ended_at: null,
        };
        const row = await trx
          .insertInto("desired")
          .values({
            tenant_uid: device.tenant,
            device_uid: device.row.uid,
            property: ref.property,
            version: 1,
            ...values,
          })
          .onConflict((conflict) =>
            conflict
              .columns(["tenant_uid", "device_uid", "property"])
              .doUpdateSet((eb) => ({ ...values, version: eb("desired.version", "+", 1) })),
          )
          .returningAll()
          .executeTakeFirstOrThrow();
        await audit(trx, {
          tenant: device.tenant,
          at: now,
          actor: caller.uid,
          action: "set",
          kind: "Device",
          name: ref.device,
          uid: device.row.uid,
          detail: { property: ref.property, value: JSON.parse(json) as unknown, version: row.version },
        });
        if (request.idempotencyKey !== undefined) {
          await remember(trx, keyed, { status: 202, body: { version: row.version }, now });
        }
        return { device, isWriteOnly, version: row.version, node, row };
      });
      if (row !== null) {
        accepted.add();
        if (log.tracing) {
          const id = `${device.row.uid}/${ref.property}#${version}`;
          request.onTraceId?.(id);
          log.trace({ file: "cloud/src/services/desired.ts", id }, "desired value accepted");
        }
        expiry.schedule(row.expires_at);
        await news.tell([row]);
        nudger.desiredChanged(node.uid as NodeUid);
      }
      const view = await outcome({
        tenant: device.tenant,
        device: device.row.uid,
        name: ref.device,
        property: ref.property,
        version,
        isWriteOnly,
        waitMs,
        signal: request.signal,
      });
      if (view.state === "failed") {
        throw new AppError(view.reason ?? "twin/not-confirmed", view.message ?? `Cannot set "${ref.property}"`);
      }
      if (view.state === "expired" || view.state === "superseded") {
        throw new AppError(`twin/${view.state}`, view.message ?? `Version ${version} ended ${view.state}`);
      }
      const settled = isSettled(view.state, isWriteOnly);
      if (settled || view.message !== null) return { view, isSettled: settled };
      const holds = await parts.holds.ofDevice(device.tenant, device.row.uid);
      const held = withHold(view, holds.get(ref.property));
      if (held !== view) return { view: held, isSettled: false };
      const message = nudger.isConnected(node.uid as NodeUid)
        ? `Waits for the device, until ${view.expiresAt}`
        : `Gateway "${node.name}" is not connected; the value waits until ${view.expiresAt}`;
      return { view: { ...view, reason: "twin/pending", message }, isSettled: false };
    },

    /** what the node has not taken yet, with the time left */
    async pending(tenant: TenantUid, node: NodeUid): Promise<DesiredValue[]> {
      const now = clock.now();
      const rows = await db
        .selectFrom("desired")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .where("state", "=", "pending")
        .where("expires_at", ">", now)
        .orderBy("requested_at")
        .execute();
      return rows.map((row) => {
        const type = row.type as ValueType;
        const parsed = valueFromJson(type, JSON.parse(row.value) as Json);
        if (!parsed.ok) throw new AppError("store/corrupt", `Desired value of ${row.property} is not ${type}`);
        if (log.tracing) {
          const id = `${row.device_uid}/${row.property}#${row.version}`;
          log.trace({ file: "cloud/src/services/desired.ts", id }, "desired value handed to the link");
        }
        return {
          device: row.device_uid as DeviceUid,
          property: row.property,
          type,
          value: parsed.value,
          version: row.version,
          // Never more than was asked for: the clock of an earlier process may have been ahead of ours.
          ttlMs: Math.max(1, Math.floor((row.expires_at - Math.max(now, row.requested_at)) / 1000)),
        };
      });
    },

    /** the gateway has these on disk */
    async taken(
      tenant: TenantUid,
      node: NodeUid,
      taken: readonly { readonly device: DeviceUid; readonly property: string; readonly version: number }[],
    ): Promise<void> {
      const now = clock.now();
      const rows = await db.transaction().execute(async (trx) => {
        const changed: Row[] = [];
        for (const one of taken) {
          const row = await trx
            .updateTable("desired")
            .set({ state: "sent", taken_at: now, updated_at: now })
            .where("tenant_uid", "=", tenant)
            .where("node_uid", "=", node)
            .where("device_uid", "=", one.device)
            .where("property", "=", one.property)
            .where("version", "=", one.version)
            .where("state", "=", "pending")
            .returningAll()
            .executeTakeFirst();
          if (row !== undefined) changed.push(row);
        }
        return changed;
      });
      await news.tell(rows);
    },

    /** Durable when it resolves; reports of another node's devices and of older versions change nothing. */
    async takeReports(tenant: TenantUid, node: NodeUid, reports: readonly DesiredReport[]): Promise<void> {
      const now = clock.now();
      const rows = await db.transaction().execute(async (trx) => {
        const changed: Row[] = [];
        for (const report of reports) {
          const known = await trx
            .selectFrom("desired")
            .select(["version", "state", "requested_at", "taken_at", "written_at", "ended_at"])
            .where("tenant_uid", "=", tenant)
            .where("node_uid", "=", node)
            .where("device_uid", "=", report.device)
            .where("property", "=", report.property)
            .executeTakeFirst();
          if (known === undefined) continue;
          if (!isNews({ version: known.version, state: known.state as DesiredState }, report)) continue;
          const readBack = report.value === null ? null : JSON.stringify(valueToJson(report.type, report.value));
          const row = await trx
            .updateTable("desired")
            .set({
              state: report.state,
              reason: report.reason,
              message: report.message,
              reported_value: readBack,
              updated_at: now,
              ...timesAfter(known, { state: report.state, time: report.time, now }),
            })
            .where("tenant_uid", "=", tenant)
            .where("device_uid", "=", report.device)
            .where("property", "=", report.property)
            .returningAll()
            .executeTakeFirstOrThrow();
          changed.push(row);
        }
        return changed;
      });
      if (log.tracing) {
        for (const report of reports) {
          const id = `${report.device}/${report.property}#${report.version}`;
          log.trace({ file: "cloud/src/services/desired.ts", id, state: report.state }, "desired value reported");
        }
      }
      await news.tell(rows);
    },

    /** The device is at another gateway now: what is unfinished goes there. */
    async moved(
      trx: Trx,
      change: { readonly tenant: string; readonly device: string; readonly node: string },
    ): Promise<void> {
      await trx
        .updateTable("desired")
        .set({ node_uid: change.node, state: "pending", taken_at: null })
        .where("tenant_uid", "=", change.tenant)
        .where("device_uid", "=", change.device)
        .where("state", "in", ["pending", "sent"])
        .execute();
    },

    /** The device's properties may be others now: what waits and fits none fails. Returns as `removed` does. */
    async retyped(
      trx: Trx,
      change: { readonly tenant: string; readonly device: string; readonly spec: DeviceSpec },
    ): Promise<() => void> {
      const rows = await endMisfits(trx, { ...change, now: clock.now() });
      return () => void news.tell(rows);
    },

    /** The device is gone: what is unfinished fails. Returns what tells the waiting, for after the commit. */
    async removed(trx: Trx, change: { readonly tenant: string; readonly device: string }): Promise<() => void> {
      const now = clock.now();
      const rows = await trx
        .updateTable("desired")
        .set({
          state: "failed",
          reason: "resource/not-found",
          message: "The device was deleted",
          updated_at: now,
          ended_at: now,
        })
        .where("tenant_uid", "=", change.tenant)
        .where("device_uid", "=", change.device)
        .where("state", "in", unfinished)
        .returningAll()
        .execute();
      return () => void news.tell(rows);
    },

    onChange: (listener: (change: DesiredChange) => void) => news.listen(listener),
    start: () => expiry.start(),
    close: () => expiry.close(),
  };
}
export type Desired = ReturnType<typeof createDesired>;
