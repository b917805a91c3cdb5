import {
  AppError,
  codeOf,
  type DeviceAccess,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type ErrorCode,
  isErrorCode,
  type LineSettings,
  sameValue,
  type Value,
  type ValueType,
  valueFromJson,
  valueToJson,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { AgentToMapper } from "@penstock/wire";
import type { Begun } from "./begun.ts";
import { budgetMs } from "./budget.ts";
import { deviceOf, pointOf } from "./groups.ts";
import type { LineTurns } from "./line-turns.ts";
import { logSteps } from "./log-steps.ts";
import type { Mapper } from "./mapper.ts";
import type { MapperAnswer } from "./mapper-process.ts";
import { sayable } from "./sayable.ts";

const file = "edge/src/collect/device-access.ts";

export interface AccessTarget {
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly mapper: Mapper;
}

/**
 * Writes, single reads and calls go through the same process and line as the cycles, and take turns with them: a flood of
 * either does not starve the other. Each waits for its turn as long as its signal lets, and then has `budgetMs` (a call:
 * the method's own time-out) and the budgets of what is in flight on its line.
 */
export function deviceAccess(options: {
  readonly find: (device: DeviceUid) => AccessTarget | null;
  readonly log: Log;
  readonly turns: LineTurns;
  readonly begun: Begun;
}): DeviceAccess {
  const { find, log, turns, begun } = options;
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
    ...(log.tracing && { trace: true }),
  });
  type Ask = (id: number, deadlineMs: number) => AgentToMapper;
  const ask = async (
    uid: DeviceUid,
    { what, own, signal }: { what: string; own: (line: LineSettings) => number; signal: AbortSignal },
    make: Ask,
  ): Promise<Exclude<MapperAnswer, { readonly t: "failed" }>> => {
    const { connection } = deviceAt(uid, what);
    const turn = await turns.take({ device: uid, connection: connection.uid, budgetMs: own(connection.line), signal });
    let code: ErrorCode | null = null;
    try {
      const { deadlineMs } = turn;
      // Looked up again: while it waited the mapper may have gone, and the device with it.
      return await deviceAt(uid, what).running.request((id) => make(id, deadlineMs), { deadlineMs, signal });
    } catch (error) {
      code = codeOf(error);
      throw error;
    } finally {
      turn.end(code);
    }
  };
  return {
    async write(uid, writes, signal, trace = `${uid}/${writes[0]?.property}`) {
      const what = `write ${writes.map(({ property }) => `"${property}"`).join(", ")}`;
      await begun.wait(signal);
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
      const own = (line: LineSettings) => budgetMs(line, known.length);
      const answer = await ask(
        uid,
        { what, own, signal },
        (id, deadlineMs) => ({ t: "write", id, ...common(target), points, values, deadlineMs }) as const,
      );
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
      await begun.wait(signal);
      const target = deviceAt(uid, `read "${name}"`);
      const property = target.device.properties.find((p) => p.name === name);
      if (property === undefined) throw unknown(target.device, name, "read");
      if (property.access === "write") {
        throw new AppError("mapper/unsupported", `Cannot read "${name}" of "${target.device.name}": it is write-only`);
      }
      if (log.tracing) log.trace({ file, id: trace }, "Asked the mapper to read back");
      const own = (line: LineSettings) => budgetMs(line, 1);
      const point = pointOf(property);
      const answer = await ask(
        uid,
        { what: `read "${name}"`, own, signal },
        (id, deadlineMs) => ({ t: "read-point", id, ...common(target), point, deadlineMs }) as const,
      );
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
    async call({ device: uid, method: name, arguments: given, onSent }, signal, trace = `${uid}/${name}`) {
      await begun.wait(signal);
      const target = deviceAt(uid, `call "${name}"`);
      const method = target.device.methods.find((m) => m.name === name);
      if (method === undefined || method.visitor === null) {
        throw new AppError("twin/unknown-method", `Cannot call "${name}": "${target.device.name}" has no such method`);
      }
      if (log.tracing) log.trace({ file, id: trace }, "Handed a call to the mapper");
      const { visitor, result, timeoutMs } = method;
      const answer = await ask(uid, { what: `call "${name}"`, own: () => timeoutMs, signal }, (id) => {
        onSent?.();
        const call = { method: name, visitor, result, arguments: given, deadlineMs: timeoutMs };
        return { t: "call", id, ...common(target), ...call } as const;
      });
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
