import type { Mapper } from "@penstock/mapper-sdk";
import { AppError, sameData } from "@penstock/model";
import { type Clock, type Log, type Metrics, type Random, sleep } from "@penstock/runtime";
import type { DmiDevice, DmiMessages, DmiModel } from "@penstock/wire";
import { DmiDeviceRun } from "./dmi-device.ts";
import { type DmiTarget, dmiDeviceKey, fromDmi } from "./from-dmi.ts";
import { HostAsker } from "./host-asker.ts";
import { type ManagerClient, openManagerClient } from "./manager-client.ts";
import { openMapperServer } from "./mapper-server.ts";
import { ReportSender } from "./report-sender.ts";

export interface ServeDmiOptions {
  readonly mapper: Mapper;
  /** the mapper's own; exists */
  readonly folder: string;
  /** where the manager listens */
  readonly managerSocket: string;
  /** where we listen for it */
  readonly socket: string;
  readonly name: string;
  /** as the manager's devices name it */
  readonly protocol: string;
  /** what the manager takes; EdgeCore 1 a second and 100 at once, from all mappers of a node together */
  readonly callsPerSecond: number;
  readonly burst: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pid: number;
}

/** A manager that tells of more means no good. */
const mostDevices = 10_000;
const again = { firstMs: 500, longestMs: 5000 } as const;

/**
 * Runs a mapper of ours under a DMI manager. It listens before it registers, so that no change falls into the time between;
 * registers again whenever the manager has been away; and then holds exactly what the answer says.
 *
 * @returns how to end it; resolves when nothing is in flight
 */
export async function serveDmi(options: ServeDmiOptions): Promise<{ close(): Promise<void> }> {
  const { mapper, clock, log, metrics } = options;
  const ending = new AbortController();
  const devices = new Map<
    string,
    { readonly run: DmiDeviceRun; readonly device: DmiDevice; readonly model: DmiModel }
  >();
  const models = new Map<string, DmiModel>();
  const closing = new Set<Promise<void>>();
  let lastGroup = 0;
  let lost: () => void = () => {};
  const host = new HostAsker({
    ...{ mapper, clock, random: options.random, pid: options.pid, folder: options.folder },
    onLog: (message, fields) => log.info({ said: fields }, message),
  });
  const manager: ManagerClient = await openManagerClient(options.managerSocket, { onLost: () => lost() });
  const counters = {
    sent: metrics.counter("penstock_dmi_reports_sent_total", "Reports that the manager took"),
    failed: metrics.counter(
      "penstock_dmi_reports_failed_total",
      "Reports that the manager did not take; they are made again",
    ),
    replaced: metrics.counter(
      "penstock_dmi_values_replaced_total",
      "Values that a newer one took the place of before the manager had room for them",
    ),
  };
  const named = (key: string) => {
    const at = key.indexOf("/");
    return { deviceNamespace: key.slice(0, at), deviceName: key.slice(at + 1) };
  };
  const sender = new ReportSender({
    ...{ clock, perSecond: options.callsPerSecond, burst: options.burst },
    status: (key, twins) =>
      manager.status({ ...named(key), reportedDevice: { twins, reportToCloud: false, reportCycle: 0 } }),
    state: (key, state) => manager.states({ ...named(key), state }),
    count: (what, amount) => counters[what].add(amount),
  });

  const end = (key: string) => {
    const known = devices.get(key);
    devices.delete(key);
    if (known === undefined) return;
    const closed = known.run.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const take = (device: DmiDevice) => {
    const key = dmiDeviceKey(device.namespace, device.name);
    const model = models.get(dmiDeviceKey(device.namespace, device.spec?.deviceModelReference ?? ""));
    if (model === undefined) throw new AppError("input/invalid", `Cannot take device "${key}": its model has not come`);
    const known = devices.get(key);
    if (known === undefined && devices.size >= mostDevices) throw tooMany(`device "${key}"`);
    const target: DmiTarget = fromDmi(device, model, mapper.manifest);
    // Wanted values alone are no reason to begin anew.
    if (known !== undefined && sameData([settled(known.device), known.model], [settled(device), model])) {
      known.run.desired(target);
      devices.set(key, { ...known, device });
      return;
    }
    end(key);
    const run = new DmiDeviceRun({ target, host, sender, clock, log, nextGroup: () => ++lastGroup });
    devices.set(key, { run, device, model });
    log.info({ device: key, properties: target.properties.length }, "Took a device");
  };
  const given = <T>(what: T | null): T => {
    if (what === null) throw new AppError("input/invalid", "Cannot take a message that carries nothing");
    return what;
  };
  const server = await openMapperServer(options.socket, {
    // A manager that did not hear our answer asks again; one that changed a device meanwhile means the change.
    register: ({ device }) => take(given(device)),
    update: ({ device }) => take(given(device)),
    remove: ({ deviceNamespace, deviceName }) => end(dmiDeviceKey(deviceNamespace, deviceName)),
    model({ model }) {
      const key = dmiDeviceKey(given(model).namespace, given(model).name);
      if (!models.has(key) && models.size >= mostDevices) throw tooMany(`model "${key}"`);
      models.set(key, given(model));
    },
    removeModel: ({ modelNamespace, modelName }) => void models.delete(dmiDeviceKey(modelNamespace, modelName)),
    get({ deviceNamespace, deviceName }) {
      const known = devices.get(dmiDeviceKey(deviceNamespace, deviceName));
      if (known === undefined) throw new AppError("resource/not-found", `No device "${deviceName}" here`);
      const { device, run } = known;
      const status = { reportToCloud: false, reportCycle: 0, ...device.status, twins: run.twins };
      return { device: { ...device, status } };
    },
  });

  const hold = ({ modelList, deviceList }: DmiMessages["MapperRegisterResponse"]) => {
    models.clear();
    for (const model of modelList) models.set(dmiDeviceKey(model.namespace, model.name), model);
    const wanted = new Set(deviceList.map(({ namespace, name }) => dmiDeviceKey(namespace, name)));
    for (const key of [...devices.keys()]) if (!wanted.has(key)) end(key);
    for (const device of deviceList) {
      try {
        take(device);
      } catch (error) {
        // The others shall run all the same.
        log.warn({ device: device.name, error }, "Cannot take a device");
      }
    }
  };
  const register = async () => {
    for (let failures = 0; !ending.signal.aborted; failures++) {
      try {
        await manager.ready();
        const address = new TextEncoder().encode(options.socket);
        const { name, protocol } = options;
        const answer = await manager.register({
          name,
          version: mapper.version,
          api_version: "v1beta1",
          protocol,
          address,
          state: "ok",
        });
        hold(answer);
        log.info({ devices: answer.deviceList.length }, "Registered at the manager");
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (failures === 0) log.warn({ error }, "Cannot register at the manager; trying on");
        await sleep(clock, Math.min(again.longestMs, again.firstMs * 2 ** Math.min(failures, 10)), ending.signal).catch(
          () => {},
        );
      }
    }
  };
  let registering = register();
  let isAgainDue = false;
  lost = () => {
    log.warn({}, "The manager is gone");
    // However often it goes meanwhile, once more is enough.
    if (isAgainDue) return;
    isAgainDue = true;
    registering = registering.then(() => {
      isAgainDue = false;
      return register();
    });
  };
  return {
    async close() {
      ending.abort(new AppError("aborted", "The mapper ends"));
      sender.close();
      manager.close();
      server.close();
      await registering;
      for (const key of [...devices.keys()]) end(key);
      await Promise.all(closing);
      await host.close();
    },
  };
}

function tooMany(what: string): AppError {
  return new AppError("request/too-many", `Cannot take ${what}: ${mostDevices} are here`);
}

/** A device but for wanted values. */
function settled({ spec, ...device }: DmiDevice): unknown {
  return plain({
    ...device,
    spec: spec && { ...spec, properties: spec.properties.map(({ desired: _, ...one }) => one) },
  });
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
