import { AppError, type DeviceUid } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { DmiMessages } from "@penstock/wire";
import type { DmiChild } from "./dmi-child.ts";
import { dmiKey } from "./dmi-device.ts";
import type { dmiMetrics } from "./dmi-metrics.ts";
import type { MapperLink } from "./mapper-link.ts";
import { reportedTime, reportedValue } from "./reported-value.ts";
import type { Target, Targets } from "./targets.ts";

const goneStates = new Set(["offline", "disconnected", "unhealthy"]);
const goodStates = new Set(["online", "ok"]);

export interface IncomingOptions {
  readonly targets: Targets;
  readonly metrics: ReturnType<typeof dmiMetrics>;
  readonly info: Log["info"];
  /** null while nobody listens to the protocol's devices */
  childOf(protocol: string): DmiChild | null;
  linkOf(target: Target): MapperLink | null;
}

/** What mappers tell of their devices, on its way to whoever speaks for the protocol. */
export class Incoming {
  readonly #options: IncomingOptions;
  readonly #states = new Map<DeviceUid, string>();

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  status({ deviceName, deviceNamespace, reportedDevice }: DmiMessages["ReportDeviceStatusRequest"]): void {
    const { metrics, childOf, linkOf } = this.#options;
    const target = this.#target(deviceNamespace, deviceName);
    const { device, connection, properties } = target;
    const child = childOf(connection.protocol);
    const link = linkOf(target);
    const key = dmiKey(deviceNamespace, deviceName);
    metrics.reports.add();
    for (const { propertyName, reported } of reportedDevice?.twins ?? []) {
      const property = properties.get(propertyName);
      if (property === undefined || reported === null || child === null) {
        metrics.unknown.add();
        continue;
      }
      const { value, reason = null } = reportedValue(property.type, reported.value);
      link?.reported(key, property, value);
      child.report(device.uid, { property: propertyName, value, reason, time: reportedTime(reported.metadata) });
    }
  }

  states({ deviceName, deviceNamespace, state }: DmiMessages["ReportDeviceStatesRequest"]): void {
    const { childOf, info } = this.#options;
    const { device, connection } = this.#target(deviceNamespace, deviceName);
    const said = state.slice(0, 64).toLowerCase();
    const isNews = this.#states.get(device.uid) !== said;
    this.#states.set(device.uid, said);
    if (isNews && !goodStates.has(said)) {
      info({ device: device.name, state: said }, "A DMI mapper told the state of a device");
    }
    if (goneStates.has(said)) childOf(connection.protocol)?.deviceGone(device.uid, "mapper/device-offline");
  }

  /** Devices that are there no more are forgotten. */
  targetsChanged(): void {
    const { targets } = this.#options;
    for (const uid of this.#states.keys()) if (targets.get(uid) === undefined) this.#states.delete(uid);
  }

  #target(namespace: string, name: string): Target {
    const { targets, metrics } = this.#options;
    const target = targets.named(namespace, name);
    if (target !== undefined) return target;
    metrics.unknown.add();
    const asked = [name, namespace].map((text) => JSON.stringify(text.slice(0, 80)));
    throw new AppError(
      "resource/not-found",
      `Cannot take a report: no device ${asked[0]} of ${asked[1]} speaks DMI here`,
    );
  }
}
