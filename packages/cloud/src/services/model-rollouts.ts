import { checkShape, contract } from "@penstock/api";
import {
  AppError,
  type DeviceModelResource,
  type DeviceModelSpec,
  type DeviceSpec,
  formatMicros,
  invalid,
  type Micros,
  type NodeUid,
  parseDuration,
  type TenantUid,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { ModelRolloutsTable } from "../state-schema.ts";
import { bumpAssigned } from "./assigned.ts";
import { audit } from "./audit.ts";
import type { Caller, CheckingContext, Ref, Trx } from "./context.ts";
import type { Desired } from "./desired.ts";
import { canonical } from "./json.ts";
import type { KindService } from "./kind-service.ts";
import { holdingStates, stillRolling } from "./model-versions.ts";
import { planWaves } from "./plan-waves.ts";
import { findRow, type Row, rowsNaming, specOf } from "./resource-rows.ts";
import { rowDocument } from "./row-document.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

type RolloutRow = Selectable<ModelRolloutsTable>;
export type RolloutState = "starting" | "running" | "paused" | "stopped" | "cancelling" | "done" | "cancelled";

export interface RolloutRequest {
  readonly spec: unknown;
  /** "1,10%,100%": how many devices have it after each wave */
  readonly waves: string;
  /** between two waves, and after the last one before it is called done */
  readonly pause: string;
}
export interface RolloutView {
  model: string;
  state: RolloutState;
  /** why it stopped */
  message: string | null;
  waves: { devices: string[]; reached: boolean }[];
  /** of the next step */
  dueAt: string | null;
  startedBy: string;
  startedAt: string;
  updatedAt: string;
}
/** null = well; else why not, for people */
export type DeviceHealthOf = (tenant: TenantUid, device: Row, spec: DeviceSpec) => Promise<string | null>;

const pauseLeastMs = 1000;
const uidsPerStatement = 1000;
/** After a start, before devices are looked at. */
const settleMs = 60_000;
const pauseMostMs = 7 * 24 * 3600 * 1000;

/**
 * A model's new version reaches its devices wave by wave; until its wave comes a device keeps the version before. After
 * each pause the wave's devices are looked at: one that was well before and is offline or bad now stops the rollout. All of
 * it stands in the state store, so a restart goes on where it was.
 *
 * Until it has ended, nobody changes, restores or deletes the model: that is refused. Its devices may change and be
 * restored: each keeps its wave; one that leaves the model leaves the rollout; one that comes to it, restored or new, waits
 * for the last wave; and what is stored must fit both versions.
 *
 *   starting ─▶ running ─▶ done          paused, stopped ─▶ running, cancelled
 */
export function createModelRollouts(
  context: CheckingContext,
  parts: {
    readonly models: Pick<KindService<"DeviceModel", DeviceModelSpec, DeviceModelResource["status"]>, "update">;
    readonly desired: Pick<Desired, "retyped">;
    readonly healthOf: DeviceHealthOf;
  },
) {
  const { db, clock, log, nudger, secrets } = context;
  const timers = new Map<string, () => void>();
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  /** It was stored as the model's own, so its secrets open as those do. */
  const previousOf = (model: Row, row: RolloutRow) => secrets.open<DeviceModelSpec>({ ...model, spec: row.previous });
  const keyOf = ({ tenant_uid, model_uid }: Pick<RolloutRow, "tenant_uid" | "model_uid">) =>
    `${tenant_uid} ${model_uid}`;

  async function rowOf(reader: typeof db, tenant: string, model: string): Promise<RolloutRow | undefined> {
    return reader
      .selectFrom("model_rollouts")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("model_uid", "=", model)
      .executeTakeFirst();
  }
  async function change(trx: typeof db, row: RolloutRow, news: Partial<RolloutRow>): Promise<RolloutRow> {
    const changed = { ...news, updated_at: clock.now() };
    await trx
      .updateTable("model_rollouts")
      .set(changed)
      .where("tenant_uid", "=", row.tenant_uid)
      .where("model_uid", "=", row.model_uid)
      .execute();
    return { ...row, ...changed };
  }
  function plan(row: RolloutRow): void {
    timers.get(keyOf(row))?.();
    timers.delete(keyOf(row));
    if (isClosed || row.state !== "running" || row.due_at === null) return;
    const waitMs = Math.max(0, (row.due_at - clock.now()) / 1000);
    const cancel = clock.after(waitMs, () => {
      running = running
        .then(() => step(row.tenant_uid, row.model_uid))
        .catch((error: unknown) => {
          log.error({ error: String(error) }, "A model's rollout could not go on; tried again");
          plan({ ...row, due_at: clock.now() + 10_000_000 });
        });
    });
    timers.set(keyOf(row), cancel);
  }

  /** The devices of a wave that are still there and still use the model: who left it has nothing to do with it. */
  async function devicesOf(trx: typeof db, rollout: RolloutRow, uids: readonly string[]): Promise<Row[]> {
    const model = (await rowsOf(trx, rollout.tenant_uid, [rollout.model_uid]))[0]?.name;
    const rows = await rowsOf(trx, rollout.tenant_uid, uids);
    return rows.filter((row) => specOf<DeviceSpec>(row).model === model);
  }
  async function rowsOf(trx: typeof db, tenant: string, uids: readonly string[]): Promise<Row[]> {
    const rows: Row[] = [];
    // A statement takes some 30,000 values at most.
    for (let from = 0; from < uids.length; from += uidsPerStatement) {
      const part = trx
        .selectFrom("resources")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("uid", "in", uids.slice(from, from + uidsPerStatement))
        .where("deleted_at", "is", null);
      rows.push(...(await part.execute()));
    }
    return rows;
  }
  async function unwell(tenant: string, rows: readonly Row[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const row of rows) {
      const why = await parts.healthOf(tenant as TenantUid, row, specOf<DeviceSpec>(row));
      if (why !== null) found.set(row.uid, `Device "${row.name}": ${why}`);
    }
    return found;
  }

  /** One step of a running rollout: looks at the last wave, then gives the next one the new version. */
  async function step(tenant: string, model: string): Promise<void> {
    const row = await rowOf(db, tenant, model);
    if (isClosed || row === undefined || row.state !== "running") return;
    const waves = JSON.parse(row.waves) as string[][];
    const last = await devicesOf(db, row, waves[row.reached - 1] ?? []);
    const before = new Set(JSON.parse(row.unwell) as string[]);
    const worse = [...(await unwell(tenant, last))].filter(([uid]) => !before.has(uid)).map(([, why]) => why);
    if (worse.length > 0) {
      const more = worse.length > 1 ? ` and ${worse.length - 1} more` : "";
      await change(db, row, { state: "stopped", due_at: null, message: `${worse[0]}${more}` });
      log.warn({ model, why: worse[0] }, "A model's rollout stopped by itself");
      return;
    }
    if (row.reached === waves.length) {
      await change(db, row, { state: "done", due_at: null, message: null });
      return;
    }
    await reach(row, waves[row.reached] ?? []);
  }

  /** Gives one wave the new version. */
  async function reach(row: RolloutRow, wave: readonly string[]): Promise<void> {
    const tenant = row.tenant_uid;
    const devices = await devicesOf(db, row, wave);
    const sick = [...(await unwell(tenant, devices)).keys()];
    const ends: (() => void)[] = [];
    const next = await db.transaction().execute(async (trx) => {
      const due = clock.now() + row.pause_ms * 1000;
      const changed = await change(trx, row, {
        ...{ state: "running", reached: row.reached + 1, due_at: due, unwell: JSON.stringify(sick), message: null },
      });
      // Read again: a device may have joined the last wave since.
      const { waves } = (await rowOf(trx, tenant, row.model_uid))!;
      const reached = await devicesOf(trx, row, (JSON.parse(waves) as string[][])[row.reached] ?? []);
      for (const device of reached) {
        ends.push(await parts.desired.retyped(trx, { tenant, device: device.uid, spec: specOf<DeviceSpec>(device) }));
      }
      ends.push(await nudgeAll(trx, tenant, reached));
      return changed;
    });
    for (const end of ends) end();
    plan(next);
  }
  async function nudgeAll(trx: Trx, tenant: string, devices: readonly Row[]): Promise<() => void> {
    const uids: NodeUid[] = [];
    for (const name of new Set(devices.map((row) => specOf<DeviceSpec>(row).node))) {
      const uid = (await findRow(trx, tenant, "Node", name))?.uid;
      if (uid === undefined) continue;
      await bumpAssigned(trx, tenant, uid);
      uids.push(uid as NodeUid);
    }
    return () => {
      for (const uid of uids) nudger.assignedChanged(uid);
    };
  }

  async function find(
    caller: Caller,
    ref: Ref,
  ): Promise<{ tenant: TenantUid; model: Row; row: RolloutRow | undefined }> {
    const tenant = await tenantOf(db, caller, ref.tenant);
    const model = await findRow(db, tenant, "DeviceModel", ref.name);
    if (model === undefined) throw notFound("DeviceModel", ref.name);
    return { tenant, model, row: await rowOf(db, tenant, model.uid) };
  }
  async function view(model: string, row: RolloutRow): Promise<RolloutView> {
    const waves = JSON.parse(row.waves) as string[][];
    const names = new Map((await devicesOf(db, row, waves.flat())).map((one) => [one.uid, one.name]));
    return {
      model,
      state: row.state as RolloutState,
      message: row.message,
      waves: waves.map((wave, i) => ({
        devices: wave.flatMap((uid) => names.get(uid) ?? []),
        reached: i < row.reached,
      })),
      dueAt: row.due_at === null ? null : formatMicros(row.due_at as Micros),
      startedBy: row.started_by,
      startedAt: formatMicros(row.started_at as Micros),
      updatedAt: formatMicros(row.updated_at as Micros),
    };
  }
  async function noted(caller: Caller, row: RolloutRow, action: string): Promise<void> {
    const [tenant, uid] = [row.tenant_uid, row.model_uid];
    const name = (await rowsOf(db, tenant, [uid]))[0]?.name ?? "";
    const entry = { tenant, at: clock.now(), actor: caller.uid, action, kind: "DeviceModel", name, uid } as const;
    await db.transaction().execute((trx) => audit(trx, entry));
  }

  /** What an earlier process left half done is finished, or was nothing. */
  async function recover(row: RolloutRow): Promise<void> {
    const model = (await rowsOf(db, row.tenant_uid, [row.model_uid]))[0];
    if (model === undefined) return;
    // Gateways need a while to connect again: until then all of their devices are offline.
    const dueAt = Math.max(row.due_at ?? 0, clock.now() + settleMs * 1000);
    const isAsBefore = canonical(secrets.open(model)) === canonical(previousOf(model, row));
    if (isAsBefore && (row.state === "starting" || row.state === "cancelling")) {
      await change(db, row, { state: "cancelled", due_at: null, message: "The server ended before it was done" });
    } else if (row.state === "cancelling") {
      await change(db, row, { state: "paused", message: "The server ended before it was cancelled; cancel it again" });
    } else if (row.state === "running" || row.state === "starting") {
      plan(await change(db, row, { state: "running", due_at: dueAt }));
    }
  }

  return {
    /** @throws AppError resource/not-found when it was never rolled out */
    async get(caller: Caller, ref: Ref): Promise<RolloutView> {
      const { row } = await find(caller, ref);
      if (row === undefined) throw new AppError("resource/not-found", `DeviceModel "${ref.name}" has no rollout`);
      return view(ref.name, row);
    },

    /**
     * Stores the model and gives the first wave its new version.
     *
     * @throws AppError resource/rolling-out while another one has not ended; what an update of the model throws
     */
    async begin(
      caller: Caller,
      ref: Ref,
      request: RolloutRequest & { readonly ifMatch: string },
    ): Promise<RolloutView> {
      const { tenant, model, row: before } = await find(caller, ref);
      const { ifMatch, ...body } = request;
      const fields = checkShape(contract.modelling.routes.beginRollout.body, body);
      if (fields.length > 0) throw invalid(fields);
      if (before !== undefined && holdingStates.includes(before.state)) throw stillRolling(ref.name, before.state);
      const pauseMs = parseDuration(request.pause);
      if (pauseMs === null || pauseMs < pauseLeastMs || pauseMs > pauseMostMs) {
        throw invalid([{ field: "pause", value: `"${request.pause}"`, rule: "must be 1s..7d" }]);
      }
      const devices = await rowsNaming(db, tenant, "Device", "model", ref.name);
      const waves = planWaves(
        devices.map(({ uid }) => uid),
        request.waves,
      );
      const now = clock.now();
      const row: RolloutRow = {
        ...{ tenant_uid: tenant, model_uid: model.uid, state: "starting", previous: model.spec },
        ...{ waves: JSON.stringify(waves), reached: 0, pause_ms: pauseMs, due_at: null, unwell: "[]", message: null },
        ...{ started_by: caller.name, started_at: now, updated_at: now },
      };
      // First who keeps what: the devices hold the version that they have, so storing the new one reaches none of them.
      await db.transaction().execute(async (trx) => {
        await remove(trx, row);
        await trx.insertInto("model_rollouts").values(row).execute();
      });
      try {
        await parts.models.update(caller, ref, { replace: rowDocument(model, request.spec), ifMatch });
      } catch (error) {
        await db.transaction().execute((trx) => remove(trx, row));
        throw error;
      }
      await noted(caller, row, "rollout");
      if (waves.length === 0) await change(db, row, { state: "done" });
      else await reach(row, waves[0]!);
      return view(ref.name, (await rowOf(db, tenant, model.uid))!);
    },

    /** pause and resume a running one, or give all devices the version before again and end it */
    async act(caller: Caller, ref: Ref, action: "pause" | "resume" | "cancel"): Promise<RolloutView> {
      const { tenant, model, row } = await find(caller, ref);
      if (row === undefined) throw new AppError("resource/not-found", `DeviceModel "${ref.name}" has no rollout`);
      const allowed = { pause: ["running"], resume: ["paused", "stopped"], cancel: ["running", "paused", "stopped"] };
      if (!allowed[action].includes(row.state)) {
        throw invalid([{ field: "action", value: `"${action}"`, rule: `cannot be done while it is ${row.state}` }]);
      }
      if (action === "pause") plan(await change(db, row, { state: "paused", due_at: null }));
      if (action === "resume") {
        // What stopped it was seen by whoever resumes it: it is no news when the wave is looked at again.
        const waves = JSON.parse(row.waves) as string[][];
        const last = await devicesOf(db, row, waves[row.reached - 1] ?? []);
        const known = JSON.stringify([...(await unwell(tenant, last)).keys()]);
        plan(await change(db, row, { state: "running", due_at: clock.now(), unwell: known, message: null }));
      }
      if (action === "cancel") {
        const cancelling = await change(db, row, { state: "cancelling", due_at: null });
        plan(cancelling);
        try {
          const replace = rowDocument(model, previousOf(model, row));
          await parts.models.update(caller, ref, { replace, ifMatch: "*" });
        } catch (error) {
          await change(db, cancelling, { state: row.state === "running" ? "paused" : row.state });
          throw error;
        }
        await change(db, cancelling, { state: "cancelled" });
      }
      await noted(caller, row, `rollout ${action}`);
      return view(ref.name, (await rowOf(db, tenant, model.uid))!);
    },

    /** goes on with what an earlier process began */
    async start(): Promise<void> {
      for (const row of await db.selectFrom("model_rollouts").selectAll().execute()) {
        if (holdingStates.includes(row.state)) await recover(row);
      }
    },
    async close(): Promise<void> {
      isClosed = true;
      for (const cancel of timers.values()) cancel();
      await running;
    },
  };

  async function remove(trx: Trx, row: RolloutRow): Promise<void> {
    await trx
      .deleteFrom("model_rollouts")
      .where("tenant_uid", "=", row.tenant_uid)
      .where("model_uid", "=", row.model_uid)
      .execute();
  }
}
