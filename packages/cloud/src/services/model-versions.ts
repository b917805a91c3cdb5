import { AppError, type DeviceModelSpec, type DeviceSpec } from "@penstock/model";
import type { Reader, Trx } from "./context.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import type { SpecSecrets } from "./spec-secrets.ts";

/** Rollouts in these states hold devices at the version before; of the others only the outcome is kept. */
export const holdingStates: readonly string[] = ["starting", "running", "paused", "stopped", "cancelling"];

export interface ModelVersion {
  readonly spec: DeviceModelSpec;
  /** two that are equal are one version */
  readonly version: string;
}

/**
 * Which version of its model counts for a device: the newest, or while that is rolled out in waves and the device's wave has
 * not come, the one before. What was read stays as it was: make one for each piece of work.
 *
 * @param read  the spec of a stored row; without its secrets unless given
 */
export function createModelVersions(db: Reader, tenant: string, read: (row: Row) => DeviceModelSpec = specOf) {
  const models = new Map<string, Promise<Model | null>>();

  async function find(name: string): Promise<Model | null> {
    const row = await findRow(db, tenant, "DeviceModel", name);
    if (row === undefined) return null;
    const newest = { spec: read(row), version: String(row.resource_version) };
    const rollout = await db
      .selectFrom("model_rollouts")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("model_uid", "=", row.uid)
      .executeTakeFirst();
    if (rollout === undefined || !holdingStates.includes(rollout.state))
      return { newest, before: newest, held: new Set() };
    const waves = JSON.parse(rollout.waves) as string[][];
    const previous = { ...row, spec: rollout.previous };
    const before = { spec: read(previous), version: `${row.resource_version} before` };
    return { newest, before, held: new Set(waves.slice(rollout.reached).flat()) };
  }
  return {
    /** null when the device names no model, or one that has just been deleted */
    async of(device: string, spec: Pick<DeviceSpec, "model">): Promise<ModelVersion | null> {
      if (spec.model === undefined) return null;
      const known = models.get(spec.model) ?? find(spec.model);
      models.set(spec.model, known);
      const model = await known;
      if (model === null) return null;
      return model.held.has(device) ? model.before : model.newest;
    },
  };
}

type Place = { readonly tenant: string; readonly device: string; readonly spec: Pick<DeviceSpec, "model"> };

/** The rollout of a device's model that has not ended, and the device's place in it. */
async function placeIn(db: Reader, { tenant, device, spec }: Place) {
  if (spec.model === undefined) return null;
  const model = await findRow(db, tenant, "DeviceModel", spec.model);
  if (model === undefined) return null;
  const rollout = await db
    .selectFrom("model_rollouts")
    .selectAll()
    .where("tenant_uid", "=", tenant)
    .where("model_uid", "=", model.uid)
    .where("state", "in", holdingStates)
    .executeTakeFirst();
  if (rollout === undefined) return null;
  const waves = JSON.parse(rollout.waves) as string[][];
  return { rollout, waves, wave: waves.findIndex((wave) => wave.includes(device)) };
}

/**
 * The version of its model that a device has until its wave comes, or would have once it comes to the model while that is
 * rolled out. What is stored of the device must fit it as well as the newest.
 *
 * @returns null when the newest is the only one it has
 */
export async function versionUntilItsWave(db: Reader, place: Place): Promise<DeviceModelSpec | null> {
  const found = await placeIn(db, place);
  if (found === null) return null;
  const { rollout, waves, wave } = found;
  const comes = wave < 0 ? waves.length - 1 : wave;
  return comes < rollout.reached ? null : specOf<DeviceModelSpec>({ spec: rollout.previous });
}

/** A device that comes to a model while it is rolled out waits for the last wave, unless that has been reached. */
export async function joinRollout(trx: Trx, place: Place): Promise<void> {
  const found = await placeIn(trx, place);
  if (found === null || found.wave >= 0 || found.rollout.reached >= found.waves.length) return;
  const waves = [...found.waves.slice(0, -1), [...found.waves.at(-1)!, place.device]];
  await trx
    .updateTable("model_rollouts")
    .set({ waves: JSON.stringify(waves) })
    .where("tenant_uid", "=", place.tenant)
    .where("model_uid", "=", found.rollout.model_uid)
    .execute();
}

interface Model {
  readonly newest: ModelVersion;
  readonly before: ModelVersion;
  readonly held: ReadonlySet<string>;
}

/** The same for one device. */
export async function modelOf(
  db: Reader,
  at: { readonly tenant: string; readonly device: string; readonly spec: Pick<DeviceSpec, "model"> },
): Promise<ModelVersion | null> {
  return createModelVersions(db, at.tenant).of(at.device, at.spec);
}

/** The same with its secrets; null without a model. */
export async function openModelOf(
  db: Reader,
  at: { readonly tenant: string; readonly device: string; readonly spec: Pick<DeviceSpec, "model"> },
  secrets: SpecSecrets,
): Promise<DeviceModelSpec | null> {
  const model = await createModelVersions(db, at.tenant, (row) => secrets.open(row)).of(at.device, at.spec);
  return model?.spec ?? null;
}

/** @throws AppError resource/rolling-out: an edit while a rollout goes on would mix three versions */
export async function mustNotRoll(
  trx: Reader,
  model: { readonly tenant: string; readonly uid: string; readonly name: string },
): Promise<void> {
  const row = await trx
    .selectFrom("model_rollouts")
    .select("state")
    .where("tenant_uid", "=", model.tenant)
    .where("model_uid", "=", model.uid)
    .executeTakeFirst();
  // Those two are the rollout's own edits.
  if (row === undefined || row.state === "starting" || row.state === "cancelling") return;
  if (holdingStates.includes(row.state)) throw stillRolling(model.name, row.state);
}

export function stillRolling(name: string, state: string): AppError {
  const text = `Cannot change DeviceModel "${name}": its rollout is ${state}; wait for its end, or cancel it`;
  return new AppError("resource/rolling-out", text);
}
