import { isObject } from "../is-object.ts";
import { sameData } from "./assigned-change.ts";
import { checkMethod } from "./check-methods.ts";
import { checkProperty } from "./check-property.ts";
import type { DeviceModelSpec, DeviceSpec, MethodSpec } from "./device.ts";
import { type MergedProperty, mergeDevice } from "./effective-device.ts";

/** A model of what is equal in all devices, and the devices with what is their own. */
export interface Extraction {
  readonly model: DeviceModelSpec;
  /** in the order given; with the model they are what they were */
  readonly devices: readonly DeviceSpec[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Lifts what several devices have in common into a model that they then name. Nothing changes in effect: merged with the
 * model each device is what it was. Of a single device the address stays where it is, since it tells devices apart.
 *
 * @param devices  at least one, none with a model already, all of one protocol
 */
export function extractModel(options: {
  readonly name: string;
  readonly protocol: string;
  readonly devices: readonly DeviceSpec[];
}): Extraction {
  const { name, protocol, devices } = options;
  const shared = (pick: (device: DeviceSpec) => unknown) =>
    (devices.map(pick).reduce((a, b) => common(a, b)) ?? {}) as Fields;
  const parts = {
    address: devices.length === 1 ? {} : shared((device) => device.address),
    custom: shared((device) => device.custom),
    presence: shared((device) => device.presence),
  };
  const properties = properOnes(shared((device) => device.properties) as Readonly<Record<string, MergedProperty>>);
  const bare: DeviceModelSpec = {
    protocol,
    ...Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0)),
    properties: properties as DeviceModelSpec["properties"],
  };
  const methods = wholeMethods(devices, bare);
  const model = Object.keys(methods).length === 0 ? bare : { ...bare, methods };
  return { model, devices: devices.map((device) => leftOf(device, model, name)) };
}

/** What both say, field by field; undefined when that is nothing. */
function common(a: unknown, b: unknown): unknown {
  if (sameData(a, b)) return a;
  if (!isObject(a) || !isObject(b)) return undefined;
  const both = Object.entries(a).flatMap(([key, value]) => {
    const part = Object.hasOwn(b, key) ? common(value, b[key]) : undefined;
    return part === undefined ? [] : [[key, part] as const];
  });
  return both.length === 0 ? undefined : Object.fromEntries(both);
}

/** A model's property must be right by itself: what is not, such as a dead band without its range, stays in the devices. */
function properOnes(properties: Readonly<Record<string, MergedProperty>>): Readonly<Record<string, MergedProperty>> {
  const proper: Record<string, MergedProperty> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (property.type === undefined) continue;
    const { collect: _, report: __, ...rest } = property;
    for (const one of [property, rest]) {
      if (checkProperty(one, name).length > 0) continue;
      proper[name] = one;
      break;
    }
  }
  return proper;
}

/** A method is lifted as a whole, where all devices have the same. */
function wholeMethods(devices: readonly DeviceSpec[], model: DeviceModelSpec): Record<string, MethodSpec> {
  const [first, ...others] = devices;
  const { properties } = mergeDevice(model, { node: "", connection: "" });
  return Object.fromEntries(
    Object.entries(first?.methods ?? {}).filter(
      ([name, method]) =>
        others.every((other) => sameData(other.methods?.[name], method)) &&
        checkMethod({ method, at: name, properties, manifest: null }).length === 0,
    ),
  );
}

function leftOf(device: DeviceSpec, model: DeviceModelSpec, name: string): DeviceSpec {
  const { address, properties, methods, presence, custom, ...rest } = device;
  const own = { address, properties, methods, presence, custom };
  const left = Object.entries(own).flatMap(([key, value]) => {
    const part = value === undefined ? undefined : difference(value, model[key as keyof typeof own]);
    return part === undefined ? [] : [[key, part] as const];
  });
  // The fields are those of a device, less what the model says.
  return { ...rest, model: name, ...Object.fromEntries(left) } as DeviceSpec;
}

/** What `own` says besides `base`; undefined when that is nothing. */
function difference(own: unknown, base: unknown): unknown {
  if (sameData(own, base)) return undefined;
  if (!isObject(own) || !isObject(base)) return own;
  const left = Object.entries(own).flatMap(([key, value]) => {
    const part = Object.hasOwn(base, key) ? difference(value, base[key]) : value;
    return part === undefined ? [] : [[key, part] as const];
  });
  return left.length === 0 ? undefined : Object.fromEntries(left);
}
