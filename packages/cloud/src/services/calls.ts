import {
  AppError,
  argumentsFromJson,
  type CallArgument,
  type CallReport,
  type CallState,
  type DeviceUid,
  effectiveMethod,
  hexId,
  isCallEnd,
  type Json,
  limits,
  type MethodCall,
  type NodeIdentity,
  type NodeUid,
  type TenantUid,
  valueFromJson,
  valueToJson,
} from "@penstock/model";
import { audit } from "./audit.ts";
import { createCallExpiry } from "./call-expiry.ts";
import { type CallRow, type CallView, callView, isCallNews } from "./call-news.ts";
import type { Caller, ServiceContext } from "./context.ts";
import { findDevice, methodOf } from "./device-lookup.ts";
import { mustFind } from "./device-references.ts";
import { durationOf } from "./duration-of.ts";
import { recall, remember } from "./idempotency.ts";
import { notFound } from "./tenant-check.ts";

export interface MethodRef {
  readonly tenant: string;
  readonly device: string;
  readonly method: string;
}
export interface CallRequest {
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** duration until its end, counted from acceptance; the method's own unless stated */
  readonly timeout?: string | undefined;
  /** duration; how long to wait for the end, 0 unless stated */
  readonly wait?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
const keptMicros = 30 * 24 * 3600 * 1_000_000;

/**
 * Calls of methods. A call is on disk before the gateway hears of it, and the gateway knows it by its id: however often it is
 * sent, the device acts at most once. Whatever may have reached the gateway never ends as expired, but as unknown.
 */
export function createCalls(context: ServiceContext) {
  const { db, clock, nudger, log, random, metrics } = context;
  const accepted = metrics.counter("penstock_services_calls_accepted_total", "Calls of methods accepted");
  const listeners = new Set<(row: CallRow) => void>();
  const tell = (rows: readonly CallRow[]) => {
    for (const row of rows) for (const listener of listeners) listener(row);
  };
  const expiry = createCallExpiry(context, tell);

  async function rowOf(tenant: TenantUid, device: string, id: string): Promise<CallRow | undefined> {
    const query = db.selectFrom("device_calls").selectAll().where("id", "=", id);
    return query.where("tenant_uid", "=", tenant).where("device_uid", "=", device).executeTakeFirst();
  }

  /** Resolves with the call when it has ended, or when the wait is over. */
  async function outcome(
    { tenant_uid: tenant, device_uid: device, id }: Pick<CallRow, "tenant_uid" | "device_uid" | "id">,
    { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<CallRow> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = (row: CallRow) => {
      if (row.id === id && isCallEnd(row.state as CallState)) resolve();
    };
    listeners.add(listener);
    const cancel = waitMs > 0 ? clock.after(waitMs, resolve) : undefined;
    signal?.addEventListener("abort", () => resolve(), { once: true });
    try {
      // Listening began before this read, so an end between the two is not missed.
      const row = await rowOf(tenant as TenantUid, device, id);
      const isOpen = row !== undefined && !isCallEnd(row.state as CallState);
      if (isOpen && waitMs > 0 && signal?.aborted !== true) await promise;
    } finally {
      listeners.delete(listener);
      cancel?.();
    }
    return (await rowOf(tenant as TenantUid, device, id))!;
  }

  return {
    /**
     * Accepts a call and waits for its end.
     *
     * @returns isSettled false: the wait ran out, and the view says how far it has come
     * @throws AppError of the reason when it ended other than done within the wait; the message names the call
     */
    async call(caller: Caller, ref: MethodRef, request: CallRequest): Promise<{ view: CallView; isSettled: boolean }> {
      const waitMs = durationOf(request.wait, "wait", { least: 0, most: limits.desiredWaitMaxMs, otherwise: 0 });
      const { row, isNew } = await db.transaction().execute(async (trx) => {
        const device = await findDevice(trx, caller, ref);
        const method = effectiveMethod(ref.method, methodOf(device, ref.method));
        const given = argumentsFromJson(method, request.arguments ?? {}).map(printed);
        const timeoutMs = durationOf(request.timeout, "timeout", {
          ...{ least: 100, most: limits.methodTimeoutMaxMs, otherwise: method.timeoutMs },
        });
        const keyed = {
          ...{ key: request.idempotencyKey ?? "", tenant: device.tenant, caller },
          request: ["call", device.row.uid, ref.method, given, timeoutMs],
        };
        const now = clock.now();
        if (request.idempotencyKey !== undefined) {
          const before = await recall<{ id: string }>(trx, keyed, now);
          if (before !== null) {
            const found = trx.selectFrom("device_calls").selectAll().where("id", "=", before.id);
            return { row: await found.executeTakeFirstOrThrow(), isNew: false };
          }
        }
        const node = await mustFind(trx, {
          ...{ tenant: device.tenant, kind: "Node", name: device.spec.node, field: "node" },
        });
        await trx
          .deleteFrom("device_calls")
          .where("tenant_uid", "=", device.tenant)
          .where("device_uid", "=", device.row.uid)
          .where("requested_at", "<", now - keptMicros)
          .execute();
        const row = await trx
          .insertInto("device_calls")
          .values({
            ...{ id: hexId(random.bytes(16)), tenant_uid: device.tenant, device_uid: device.row.uid },
            ...{ node_uid: node.uid, method: ref.method, arguments: JSON.stringify(given), state: "pending" },
            ...{ reason: null, message: null, result_type: method.result, result: null, steps: "[]" },
            ...{ requested_by: caller.name, requested_at: now, expires_at: now + timeoutMs * 1000 },
            ...{ offered_at: null, sent_at: null, ended_at: null },
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        await audit(trx, {
          ...{ tenant: device.tenant, at: now, actor: caller.uid, action: "call" },
          ...{ kind: "Device", name: ref.device, uid: device.row.uid },
          detail: { method: ref.method, call: row.id, arguments: given },
        });
        if (request.idempotencyKey !== undefined) {
          await remember(trx, keyed, { status: 202, body: { id: row.id }, now });
        }
        return { row, isNew: true };
      });
      if (isNew) {
        accepted.add();
        const id = `${row.device_uid}/${row.id}`;
        if (log.tracing) log.trace({ file: "cloud/src/services/calls.ts", id }, "call accepted");
        expiry.schedule(row.expires_at);
        nudger.callsChanged(row.node_uid as NodeUid);
      }
      const view = callView(await outcome(row, { waitMs, signal: request.signal }), ref.device);
      if (!isCallEnd(view.state)) return { view, isSettled: false };
      if (view.state === "done") return { view, isSettled: true };
      const code = view.reason ?? (view.state === "unknown" ? "twin/outcome-unknown" : "twin/expired");
      throw new AppError(code, `Call ${view.id} of "${ref.method}" ended ${view.state}: ${wordsOf(view)}`);
    },

    async get(caller: Caller, ref: MethodRef & { readonly id: string }): Promise<CallView> {
      const device = await findDevice(db, caller, ref);
      const row = await rowOf(device.tenant, device.row.uid, ref.id);
      if (row === undefined || row.method !== ref.method) throw notFound("call", ref.id);
      return callView(row, ref.device);
    },

    /** the latest calls of a method, newest first */
    async list(caller: Caller, ref: MethodRef, query: { readonly limit?: number }): Promise<{ items: CallView[] }> {
      const device = await findDevice(db, caller, ref);
      const rows = await db
        .selectFrom("device_calls")
        .selectAll()
        .where("tenant_uid", "=", device.tenant)
        .where("device_uid", "=", device.row.uid)
        .where("method", "=", ref.method)
        .orderBy("requested_at", "desc")
        .limit(query.limit ?? 100)
        .execute();
      return { items: rows.map((row) => callView(row, ref.device)) };
    },

    /** what the node has not taken yet, with the time left; noted as offered before anything leaves */
    async pending({ tenant, node }: NodeIdentity): Promise<MethodCall[]> {
      const now = clock.now();
      const rows = await db.transaction().execute(async (trx) => {
        const due = await trx
          .selectFrom("device_calls")
          .selectAll()
          .where("tenant_uid", "=", tenant)
          .where("node_uid", "=", node)
          .where("state", "=", "pending")
          .where("expires_at", ">", now)
          .orderBy("requested_at")
          .limit(limits.callsRemembered)
          .execute();
        const first = due.filter(({ offered_at }) => offered_at === null).map(({ id }) => id);
        if (first.length > 0)
          await trx.updateTable("device_calls").set({ offered_at: now }).where("id", "in", first).execute();
        return due;
      });
      return rows.map((row) => ({
        id: row.id,
        device: row.device_uid as DeviceUid,
        method: row.method,
        arguments: (JSON.parse(row.arguments) as Printed[]).map(read),
        ttlMs: Math.max(1, Math.floor((row.expires_at - Math.max(now, row.requested_at)) / 1000)),
      }));
    },

    /** the gateway has these on disk */
    async taken({ tenant, node }: NodeIdentity, ids: readonly string[]): Promise<void> {
      if (ids.length === 0) return;
      await db
        .updateTable("device_calls")
        .set({ state: "sent", sent_at: clock.now() })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .where("id", "in", ids)
        .where("state", "=", "pending")
        .execute();
    },

    /** Durable when it resolves; reports of another node's calls change nothing. */
    async takeReports({ tenant, node }: NodeIdentity, reports: readonly CallReport[]): Promise<void> {
      const rows = await db.transaction().execute(async (trx) => {
        const changed: CallRow[] = [];
        for (const report of reports) {
          const known = await trx
            .selectFrom("device_calls")
            .select("state")
            .where("tenant_uid", "=", tenant)
            .where("node_uid", "=", node)
            .where("id", "=", report.id)
            .executeTakeFirst();
          if (known === undefined || !isCallNews(known.state as CallState, report.state)) continue;
          const { state, reason, message, value, steps, time } = report;
          const result =
            report.type === null || value === null ? null : JSON.stringify(valueToJson(report.type, value));
          const row = await trx
            .updateTable("device_calls")
            .set({ state, reason, message, result, steps: JSON.stringify(steps), ended_at: time })
            .where("id", "=", report.id)
            .returningAll()
            .executeTakeFirstOrThrow();
          changed.push(row);
        }
        return changed;
      });
      if (log.tracing) {
        for (const { id, device, state } of reports)
          log.trace({ file: "cloud/src/services/calls.ts", id: `${device}/${id}`, state }, "call ended");
      }
      tell(rows);
    },

    start: () => expiry.start(),
    close: () => expiry.close(),
  };
}
export type Calls = ReturnType<typeof createCalls>;

/** An argument as it is stored and shown. */
interface Printed extends Pick<CallArgument, "name" | "type"> {
  readonly value: Json;
}
function printed({ name, type, value }: CallArgument): Printed {
  return { name, type, value: valueToJson(type, value) };
}
function read({ name, type, value }: Printed): CallArgument {
  const parsed = valueFromJson(type, value);
  if (!parsed.ok) throw new AppError("store/corrupt", `Argument "${name}" of a call is not ${type}`);
  return { name, type, value: parsed.value };
}

/** Why it did not end well, and for a method that sets properties what became of each. */
function wordsOf({ message, reason, steps }: CallView): string {
  const each = steps.map(({ property, state }) => `${property} ${state}`).join(", ");
  return `${message ?? reason ?? "no reason is known"}${each === "" ? "" : ` (${each})`}`;
}
