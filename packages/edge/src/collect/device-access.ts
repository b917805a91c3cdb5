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
import { deviceOf, pointOf } from "./groups.ts";
import { logSteps } from "./log-steps.ts";
import type { Mapper } from "./mapper.ts";
import { sayable } from "./sayable.ts";

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
  const deviceAt = (uid: DeviceUid, what: string) => {
    const target = find(uid);
    if (target === null) throw new AppError("twin/unknown-property", `Cannot ${what}: no device "${uid}" here`);
    const { running } = target.mapper;
    if (running === null) {
      const { code, message } = target.mapper.trouble();
      throw new AppError(code, `Cannot ${what} of "${target.device.name}": ${message}`);
    }
    return { ...target, running };
  };
  const common = ({ connection, device }: AccessTarget) => ({
    connection: connection.uid,
    ...deviceOf(device),
    deadlineMs,
    ...(log.tracing && { trace: true }),
  });
  return {
    async write(uid, writes, signal, trace = `${uid}/${writes[0]?.property}`) {
      const what = `write ${writes.map(({ property }) => `"${property}"`).join(", ")}`;
      const target = deviceAt(uid, what);
      const outcomes: (AppError | null)[] = writes.map(() => null);
      const known: { readonly row: number; readonly property: EffectiveProperty; readonly value: Value }[] = [];
      writes.forEach(({ property: name, value }, row) => {
        const property = target.device.properties.find((p) => p.name === name);
        if (property === undefined) outcomes[row] = unknown(target.device, name, "write");
        else known.push({ row, property, value });
      });
      if (known.length === 0) return outcomes;
      if (log.tracing) log.trace({ file, id: trace }, "Handed a write to the mapper");
      const points = known.map(({ property }) => pointOf(property));
      const values = known.map(({ value }) => value);
      const request = (id: number) => ({ t: "write", id, ...common(target), points, values }) as const;
      const answer = await target.running.request(request, { deadlineMs, signal });
      if (answer.t !== "written" || !Array.isArray(answer.outcomes) || answer.outcomes.length !== known.length) {
        throw new AppError("mapper/bad-answer", `Cannot ${what}: the mapper answered with "${answer.t}"`);
      }
      if (log.tracing) logSteps(log, trace, answer.trace);
      known.forEach(({ row, property }, i) => {
        const outcome = answer.outcomes[i];
        if (outcome === null) return;
        const code = isErrorCode(outcome?.code) ? outcome.code : "mapper/bad-answer";
        outcomes[row] = new AppError(code, sayable(outcome?.message ?? `Cannot write "${property.name}"`));
      });
      return outcomes;
    },
    async read(uid, name, signal, trace = `${uid}/${name}`) {
      const target = deviceAt(uid, `read "${name}"`);
      const property = target.device.properties.find((p) => p.name === name);
      if (property === undefined) throw unknown(target.device, name, "read");
      if (property.access === "write") {
        throw new AppError("mapper/unsupported", `Cannot read "${name}" of "${target.device.name}": it is write-only`);
      }
      if (log.tracing) log.trace({ file, id: trace }, "Asked the mapper to read back");
      const request = (id: number) => ({ t: "read-point", id, ...common(target), point: pointOf(property) }) as const;
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
      if (!isOfType(property.type, value)) {
        const shape = `want one of ${property.type}`;
        throw new AppError("mapper/bad-answer", `Cannot read "${name}": the mapper gave another value, ${shape}`);
      }
      return value;
    },
    async call({ device: uid, method: name, arguments: given }, signal, trace = `${uid}/${name}`) {
      const target = deviceAt(uid, `call "${name}"`);
      const method = target.device.methods.find((m) => m.name === name);
      if (method === undefined || method.visitor === null) {
        throw new AppError("twin/unknown-method", `Cannot call "${name}": "${target.device.name}" has no such method`);
      }
      if (log.tracing) log.trace({ file, id: trace }, "Handed a call to the mapper");
      const { visitor, result, timeoutMs } = method;
      const request = (id: number) =>
        ({
          t: "call",
          id,
          ...common(target),
          deadlineMs: timeoutMs,
          method: name,
          visitor,
          result,
          arguments: given,
        }) as const;
      const answer = await target.running.request(request, { deadlineMs: timeoutMs, signal });
      if (answer.t !== "called" || (result === null ? answer.value !== null : !isOfType(result, answer.value))) {
        throw new AppError(
          "mapper/bad-answer",
          `Cannot use the result of "${name}": the mapper answered with "${answer.t}"`,
        );
      }
      if (log.tracing) logSteps(log, trace, answer.trace);
      return answer.value;
    },
  };
}

function unknown(device: EffectiveDevice, property: string, act: string): AppError {
  return new AppError("twin/unknown-property", `Cannot ${act} "${property}": "${device.name}" has no such property`);
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
