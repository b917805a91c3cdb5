import {
  AppError,
  type CallArgument,
  type CallOutcome,
  type CallStep,
  checkArguments,
  codeOf,
  type DeviceAccess,
  type DeviceUid,
  desiredFromJson,
  type EffectiveDevice,
  type EffectiveMethod,
  type EffectiveProperty,
  type ErrorCode,
  isHeldAs,
  type Value,
  valueToText,
} from "@penstock/model";

export interface RunCall {
  readonly device: EffectiveDevice;
  readonly method: EffectiveMethod;
  readonly arguments: readonly CallArgument[];
  readonly access: DeviceAccess;
  /** who holds the property, if anybody does */
  holderOf(device: DeviceUid, property: string): string | null;
  /** aborted when the call's time is over or the gateway stops */
  readonly signal: AbortSignal;
  readonly trace: string;
}

/** After these nobody can say whether the device acted. */
const inDoubt: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "aborted",
  "internal",
  "mapper/bad-answer",
  "mapper/connection-lost",
  "mapper/gateway-no-response",
  "mapper/stopped",
  "mapper/timeout",
]);

/**
 * Carries a method out, once: through the mapper, or by writing its properties one after the other. Never rejects: every
 * trouble is an end of the call. In doubt it ends unknown, and is never tried again.
 */
export async function runCall(call: RunCall): Promise<CallOutcome> {
  try {
    const given = checkArguments(call.method, call.arguments);
    return call.method.visitor === null ? await setProperties(call, given) : await callMapper(call, given);
  } catch (error) {
    return ended("failed", codeOf(error), textOf(error));
  }
}

async function callMapper(call: RunCall, given: readonly CallArgument[]): Promise<CallOutcome> {
  const { device, method, access, signal, trace } = call;
  let isSent = false;
  const request = {
    ...{ device: device.uid, method: method.name },
    arguments: Object.fromEntries(given.map(({ name, value }) => [name, value])),
    onSent: () => {
      isSent = true;
    },
  };
  try {
    const value = await access.call(request, signal, trace);
    return { ...ended("done", null, null), type: method.result, value };
  } catch (error) {
    const code = codeOf(error);
    if (!isSent) {
      if (signal.aborted) return ended("expired", "twin/expired", `"${method.name}" was not begun in its time`);
      return ended("failed", code, textOf(error));
    }
    if (!inDoubt.has(code)) return ended("failed", code, textOf(error));
    const text = `"${method.name}" was sent, and nobody can say whether the device acted: ${textOf(error)}`;
    return ended("unknown", "twin/outcome-unknown", text);
  }
}

interface Setting {
  readonly property: EffectiveProperty;
  readonly value: Value;
}

async function setProperties(call: RunCall, given: readonly CallArgument[]): Promise<CallOutcome> {
  // All of it is looked at before the first write: a call that cannot be done whole is not begun.
  const settings = settingsOf(call, given);
  const steps: CallStep[] = [];
  for (const { property, value } of settings) {
    const last = steps.at(-1);
    if (last !== undefined && last.state !== "written") {
      steps.push({ property: property.name, state: "not tried", reason: null, message: null });
    } else steps.push(await setOne(call, property, value));
  }
  const broken = steps.find(({ state }) => state === "failed" || state === "unknown");
  if (broken === undefined) return { ...ended("done", null, null), steps };
  const state = broken.state === "unknown" ? "unknown" : "failed";
  const reason = state === "unknown" ? "twin/outcome-unknown" : broken.reason;
  return { ...ended(state, reason, `"${broken.property}": ${broken.message}`), steps };
}

function settingsOf({ device, method, holderOf }: RunCall, given: readonly CallArgument[]): Setting[] {
  const values = new Map(given.map(({ name, value }) => [name, value]));
  const settings: Setting[] = [];
  for (const set of method.sets) {
    const property = device.properties.find(({ name }) => name === set.property);
    if (property === undefined) {
      const text = `Cannot call "${method.name}": it sets "${set.property}", which "${device.name}" does not have`;
      throw new AppError("twin/unknown-property", text);
    }
    const holder = holderOf(device.uid, property.name);
    if (holder !== null) {
      throw new AppError(
        "twin/held",
        `Cannot call "${method.name}": it sets "${property.name}", which ${holder} holds`,
      );
    }
    if ("value" in set) settings.push({ property, value: desiredFromJson(property, set.value, property.name) });
    // An optional argument that was not given leaves its property as it is.
    else if (values.has(set.argument)) settings.push({ property, value: values.get(set.argument)! });
  }
  return settings;
}

async function setOne(call: RunCall, property: EffectiveProperty, value: Value): Promise<CallStep> {
  const { device, access, signal, trace } = call;
  const step = (state: CallStep["state"], reason: ErrorCode | null, message: string | null): CallStep => ({
    ...{ property: property.name, state, reason, message },
  });
  try {
    const [trouble] = await access.write(device.uid, [{ property: property.name, value }], signal, trace);
    if (trouble !== null && trouble !== undefined) throw trouble;
    if (property.access === "write") return step("written", null, null);
    const found = await access.read(device.uid, property.name, signal, trace);
    const { scale } = property.visitor;
    const wanted = { type: property.type, wanted: value, found, scale: typeof scale === "number" ? scale : null };
    if (isHeldAs(wanted)) return step("written", null, null);
    const text = `wrote ${valueToText(property.type, value)}, read back ${valueToText(property.type, found)}`;
    return step("failed", "twin/not-confirmed", text);
  } catch (error) {
    const code = codeOf(error);
    return step(inDoubt.has(code) ? "unknown" : "failed", code, textOf(error));
  }
}

export function ended(state: CallOutcome["state"], reason: ErrorCode | null, message: string | null): CallOutcome {
  return { state, reason, message, type: null, value: null, steps: [] };
}

function textOf(error: unknown): string {
  // What is not ours to say stays in the log.
  return error instanceof AppError ? error.message : "Something that should not happen did; the log has it whole";
}
