import assert from "node:assert/strict";
import { isObject } from "@penstock/model";

type Fields = Readonly<Record<string, unknown>>;

/**
 * What the published JSON Schema of AsyncAPI 3.0.0 demands of the parts that our documents have, and what it cannot say:
 * that every $ref leads somewhere, and to something of the right kind.
 */
export function assertAsyncApi(document: unknown): void {
  const root = fields(document, "document");
  only(
    root,
    ["asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"],
    "document",
  );
  assert.equal(root.asyncapi, "3.0.0");
  const info = fields(root.info, "info");
  for (const name of ["title", "version"]) assert.equal(typeof info[name], "string", `info.${name} is required`);
  for (const [id, server] of entries(root.servers, "servers")) {
    only(server, ["host", "protocol", "protocolVersion", "pathname", "description", "security", "bindings"], id);
    assert.ok(typeof server.host === "string" && typeof server.protocol === "string", `${id}: host and protocol`);
    for (const one of (server.security ?? []) as unknown[]) refTo(root, one, "#/components/securitySchemes/");
  }
  const addresses = new Set<unknown>();
  for (const [id, channel] of entries(root.channels, "channels")) {
    only(channel, ["address", "messages", "title", "summary", "description", "servers", "parameters", "bindings"], id);
    assert.match(id, key);
    assert.ok(typeof channel.address === "string" && !/[?#+]/.test(channel.address), `${id}: address`);
    assert.ok(!addresses.has(channel.address), `${id}: a channel of its own`);
    addresses.add(channel.address);
    for (const one of channel.servers as unknown[]) refTo(root, one, "#/servers/");
    for (const [, message] of entries(channel.messages, id)) refTo(root, message, "#/components/messages/");
  }
  for (const [id, operation] of entries(root.operations, "operations")) {
    only(operation, ["action", "channel", "messages", "title", "summary", "description", "security", "bindings"], id);
    assert.ok(operation.action === "send" || operation.action === "receive", `${id}: action`);
    const { ref } = refTo(root, operation.channel, "#/channels/");
    // Messages of an operation are those of its own channel, not of components.
    for (const one of operation.messages as unknown[]) refTo(root, one, `${ref}/messages/`);
    const mqtt = fields(fields(operation.bindings, id).mqtt, id);
    only(mqtt, ["qos", "retain", "messageExpiryInterval", "bindingVersion"], id);
    assert.ok([0, 1, 2].includes(mqtt.qos as number), `${id}: qos`);
  }
  const components = fields(root.components, "components");
  only(components, ["schemas", "messages", "securitySchemes"], "components");
  for (const map of Object.values(components))
    for (const name of Object.keys(fields(map, "components"))) assert.match(name, key);
  for (const [id, message] of entries(components.messages, "messages")) {
    only(message, ["name", "title", "summary", "description", "contentType", "payload", "headers", "bindings"], id);
    refTo(root, message.payload, "#/components/schemas/");
  }
  for (const [id, scheme] of entries(components.securitySchemes ?? {}, "securitySchemes"))
    assert.equal(scheme.type, "userPassword", id);
  everyRef(root, root);
}

/** @source AsyncAPI 3.0.0, Components Object: keys match this */
const key = /^[a-zA-Z0-9.\-_]+$/;

function everyRef(root: Fields, value: unknown): void {
  if (Array.isArray(value)) for (const one of value) everyRef(root, one);
  if (!isObject(value)) return;
  if (typeof value.$ref === "string") resolve(root, value.$ref);
  for (const one of Object.values(value)) everyRef(root, one);
}

function refTo(root: Fields, value: unknown, prefix: string): { ref: string; target: unknown } {
  const { $ref: ref } = fields(value, prefix);
  assert.ok(typeof ref === "string" && ref.startsWith(prefix), `${String(ref)} must be one of ${prefix}`);
  return { ref, target: resolve(root, ref) };
}

/** @source RFC 6901 */
function resolve(root: Fields, ref: string): unknown {
  let at: unknown = root;
  for (const part of ref.replace(/^#\//, "").split("/")) {
    assert.ok(isObject(at) && Object.hasOwn(at, part), `${ref} leads nowhere`);
    at = at[part];
  }
  return at;
}

function entries(map: unknown, where: string): [string, Fields][] {
  return Object.entries(fields(map, where)).map(([id, value]) => [id, fields(value, `${where}.${id}`)]);
}

function fields(value: unknown, where: string): Fields {
  assert.ok(isObject(value), `${where} is an object`);
  return value;
}

function only(value: Fields, known: readonly string[], where: string): void {
  for (const name of Object.keys(value)) assert.ok(known.includes(name), `${where}: "${name}" is no field`);
}
