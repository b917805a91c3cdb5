import {
  AppError,
  type DeviceAccess,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  isErrorCode,
  sameValue,
  type Value,
  type ValueType,
  valueFromJson,
  valueToJson,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";
import { pointOf } from "./groups.ts";
import { logSteps } from "./log-steps.ts";
import type { Mapper } from "./mapper.ts";

/** How long a device may take over one write or one read back, waiting for its line included. */
const deadlineMs = 10_000;
const file = "edge/src/collect/device-access.ts";

export interface AccessTarget {
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly mapper: Mapper;
}

/** Writes and single reads go through the same process and line as the cycles: the mapper keeps one queue per connection. */
export function deviceAccess(options: {
  readonly find: (device: DeviceUid) => AccessTarget | null;
  readonly log: Log;
}): DeviceAccess {
  const { find, log } = options;
  const targetOf = (uid: DeviceUid, name: string, act: string) => {
    const target = find(uid);
    const property = target?.device.properties.find((p) => p.name === name);
    if (target === null || property === undefined) {
      const missing = target === null ? `no device "${uid}" here` : `"${target.device.name}" has no such property`;
      throw new AppError("twin/unknown-property", `Cannot ${act} "${name}": ${missing}`);
    }
    const { running } = target.mapper;
    if (running === null) {
      const { code, message } = target.mapper.trouble();
      throw new AppError(code, `Cannot ${act} "${name}" of "${target.device.name}": ${message}`);
    }
    return { ...target, property, running };
  };
  const common = ({ connection, device, property }: AccessTarget & { readonly property: EffectiveProperty }) => ({
    connection: connection.uid,
    address: device.address,
    point: pointOf(property),
    deadlineMs,
    ...(log.tracing && { trace: true }),
  });
  return {
    async write(uid, name, value, signal, trace = `${uid}/${name}`) {
      const target = targetOf(uid, name, "write");
      if (log.tracing) log.trace({ file, id: trace }, "Handed a write to the mapper");
      const request = (id: number) => ({ t: "write", id, ...common(target), value }) as const;
      const answer = await target.running.request(request, { deadlineMs, signal });
      if (answer.t !== "written") {
        throw new AppError("mapper/bad-answer", `Cannot write "${name}": the mapper answered with "${answer.t}"`);
      }
      if (log.tracing) logSteps(log, trace, answer.trace);
    },
    async read(uid, name, signal, trace = `${uid}/${name}`) {
      const target = targetOf(uid, name, "read");
      if (target.property.access === "write") {
        throw new AppError("mapper/unsupported", `Cannot read "${name}" of "${target.device.name}": it is write-only`);
      }
      if (log.tracing) log.trace({ file, id: trace }, "Asked the mapper to read back");
      const request = (id: number) => ({ t: "read-point", id, ...common(target) }) as const;
      const answer = await target.running.request(request, { deadlineMs, signal });
      if (answer.t !== "point") {
        throw new AppError("mapper/bad-answer", `Cannot read "${name}": the mapper answered with "${answer.t}"`);
      }
      if (log.tracing) logSteps(log, trace, answer.trace);
      const { value, reason } = answer;
      if (reason !== null) {
        const code = isErrorCode(reason) ? reason : "mapper/bad-answer";
        throw new AppError(code, `Cannot read "${name}" of "${target.device.name}"`);
      }
      if (!isOfType(target.property.type, value)) {
        const shape = `want one of ${target.property.type}`;
        throw new AppError("mapper/bad-answer", `Cannot read "${name}": the mapper gave another value, ${shape}`);
      }
      return value;
    },
  };
}

/** A mapper's answer goes on to the cloud, which ends a session that carries anything else. */
function isOfType(type: ValueType, value: Value): boolean {
  if (value === null) return false;
  try {
    const parsed = valueFromJson(type, valueToJson(type, value));
    return parsed.ok && sameValue(parsed.value, type === "float32" ? Math.fround(value as number) : value);
  } catch {
    return false;
  }
}
