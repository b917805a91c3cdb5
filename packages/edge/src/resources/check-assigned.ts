import {
  type AssignedSet,
  accesses,
  type Cadence,
  type Collection,
  checkEffectiveDevice,
  checkEffectiveProperty,
  checkLineSettings,
  defaultMqtt,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveMethod,
  type EffectiveProperty,
  type EffectiveRule,
  effectiveMqttFaults,
  type FieldError,
  invalid,
  limits,
  propertyNamePattern,
  valueTypes,
} from "@penstock/model";

/**
 * The cloud has checked what it assigns; this looks again before anything reaches the disk, since a gateway that cannot
 * start from its disk is worse than one that refuses a change.
 *
 * @throws AppError input/invalid naming the first 20 fields that break a rule
 */
export function checkAssignedSet(set: AssignedSet): void {
  const fields: FieldError[] = [];
  for (const field of faults(set)) {
    fields.push(field);
    if (fields.length === 20) break;
  }
  if (fields.length > 0) throw invalid(fields);
}

const propertyName = new RegExp(propertyNamePattern);

function* faults(set: AssignedSet): Generator<FieldError> {
  if (!Number.isSafeInteger(set.version) || set.version < 1) yield fault("version", set.version, "whole number from 1");
  if (!isObject(set.tenant) || !isText(set.tenant.uid)) yield fault("tenant.uid", set.tenant?.uid, "text");
  if (!isObject(set.node) || !isText(set.node.uid)) yield fault("node.uid", set.node?.uid, "text");
  else yield* effectiveMqttFaults(set.node.mqtt ?? defaultMqtt, "node.mqtt");
  if (!Array.isArray(set.connections)) return yield fault("connections", set.connections, "list");
  if (!Array.isArray(set.devices)) return yield fault("devices", set.devices, "list");
  const connections = new Set<string>();
  for (const [i, connection] of set.connections.entries()) {
    yield* connectionFaults(`connections[${i}]`, connection, connections);
  }
  if (!Array.isArray(set.rules)) return yield fault("rules", set.rules, "list");
  const devices = new Set<string>();
  for (const [i, device] of set.devices.entries()) {
    yield* deviceFaults(`devices[${i}]`, device, connections, devices);
  }
  const rules = new Set<string>();
  for (const [i, rule] of set.rules.entries()) yield* ruleFaults(`rules[${i}]`, rule, rules);
}

/** Its shape only: what its SQL says is looked at where it runs, and one that is refused there harms no other. */
function* ruleFaults(at: string, rule: EffectiveRule, seen: Set<string>): Generator<FieldError> {
  if (!isObject(rule)) return yield fault(at, rule, "object");
  yield* uidFaults(at, rule.uid, seen);
  if (!isText(rule.name)) yield fault(`${at}.name`, rule.name, "text");
  if (typeof rule.sql !== "string") yield fault(`${at}.sql`, rule.sql, "text");
  if (!isObject(rule.sources)) yield fault(`${at}.sources`, rule.sources, "object");
  if (!Array.isArray(rule.actions) || !rule.actions.every(isObject)) {
    yield fault(`${at}.actions`, rule.actions, "list of objects");
  }
}

function* connectionFaults(at: string, connection: EffectiveConnection, seen: Set<string>): Generator<FieldError> {
  if (!isObject(connection)) return yield fault(at, connection, "object");
  yield* uidFaults(at, connection.uid, seen);
  if (!isText(connection.name)) yield fault(`${at}.name`, connection.name, "text");
  if (!isText(connection.protocol)) yield fault(`${at}.protocol`, connection.protocol, "name of a mapper");
  if (!isObject(connection.settings)) yield fault(`${at}.settings`, connection.settings, "object");
  if (!isObject(connection.line)) yield fault(`${at}.line`, connection.line, "object");
  else yield* checkLineSettings(connection.line, `${at}.line`);
}

function* deviceFaults(
  at: string,
  device: EffectiveDevice,
  connections: ReadonlySet<string>,
  seen: Set<string>,
): Generator<FieldError> {
  if (!isObject(device)) return yield fault(at, device, "object");
  yield* uidFaults(at, device.uid, seen);
  if (!isText(device.name)) yield fault(`${at}.name`, device.name, "text");
  if (!connections.has(device.connection)) {
    yield fault(`${at}.connection`, device.connection, "uid of a connection in the same set");
  }
  if (!isObject(device.address)) yield fault(`${at}.address`, device.address, "object");
  if (!Array.isArray(device.properties)) return yield fault(`${at}.properties`, device.properties, "list");
  if (device.properties.length > limits.propertiesPerDevice) {
    return yield fault(
      `${at}.properties`,
      device.properties.length,
      `at most ${limits.propertiesPerDevice} properties a device`,
    );
  }
  const names = new Set<string>();
  for (const [i, property] of device.properties.entries()) {
    yield* propertyFaults(`${at}.properties[${i}]`, property, names);
  }
  if (!Array.isArray(device.methods)) return yield fault(`${at}.methods`, device.methods, "list");
  const shapeless = device.methods.findIndex((method) => !isMethod(method));
  if (shapeless >= 0) {
    const rule = "object with lists of arguments and sets";
    return yield fault(`${at}.methods[${shapeless}]`, device.methods[shapeless], rule);
  }
  if (device.properties.every(isProperty)) yield* checkEffectiveDevice(device, at);
}

function* propertyFaults(at: string, property: EffectiveProperty, seen: Set<string>): Generator<FieldError> {
  if (!isObject(property)) return yield fault(at, property, "object");
  const { name, type, access, visitor, collect } = property;
  if (typeof name !== "string" || !propertyName.test(name)) yield fault(`${at}.name`, name, propertyNamePattern);
  else if (seen.has(name)) yield fault(`${at}.name`, name, "unique in its device");
  seen.add(name);
  if (!valueTypes.includes(type)) yield fault(`${at}.type`, type, `one of ${valueTypes.join(", ")}`);
  if (!accesses.includes(access)) yield fault(`${at}.access`, access, `one of ${accesses.join(", ")}`);
  if (!isObject(visitor)) yield fault(`${at}.visitor`, visitor, "object");
  if (collect !== null && !isCollection(collect)) {
    const rule = `null, everyMs of ${limits.collectEveryMinMs}..${limits.collectEveryMaxMs}, seconds of the day, or subscribe`;
    yield fault(`${at}.collect`, collect, rule);
  } else if (isProperty(property)) yield* checkEffectiveProperty(property, at);
}

/** Whether all is there that the rules look at. */
function isProperty({ type, report, publish }: EffectiveProperty): boolean {
  const isPublish = publish === null || (isObject(publish) && typeof publish.topic === "string");
  return valueTypes.includes(type) && isObject(report) && isPublish;
}

function isMethod(method: EffectiveMethod): boolean {
  const isList = (list: unknown): list is readonly unknown[] => Array.isArray(list) && list.every(isObject);
  return isObject(method) && isList(method.arguments) && isList(method.sets);
}

function isCollection(collect: unknown): collect is Collection {
  return isCadence(collect) || (isObject(collect) && (collect as { subscribe?: unknown }).subscribe === true);
}

function isCadence(cadence: unknown): cadence is Cadence {
  if (typeof cadence !== "object" || cadence === null) return false;
  const { everyMs, atSeconds } = cadence as { everyMs?: unknown; atSeconds?: unknown };
  if (everyMs !== undefined) {
    return typeof everyMs === "number" && everyMs >= limits.collectEveryMinMs && everyMs <= limits.collectEveryMaxMs;
  }
  const isSecond = (second: unknown) => Number.isInteger(second) && Number(second) >= 0 && Number(second) < 86_400;
  return Array.isArray(atSeconds) && atSeconds.length > 0 && atSeconds.every(isSecond);
}

function* uidFaults(at: string, uid: unknown, seen: Set<string>): Generator<FieldError> {
  if (!isText(uid)) yield fault(`${at}.uid`, uid, "text of 1..64 characters");
  else if (seen.has(uid)) yield fault(`${at}.uid`, uid, "unique in the set");
  else seen.add(uid);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 64;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fault(field: string, value: unknown, rule: string): FieldError {
  return { field, value: (JSON.stringify(value) ?? "missing").slice(0, 80), rule };
}
