import type { MapperManifest } from "../mapper-manifest.ts";
import type { ConnectionSpec, DeviceSpec, MethodSpec } from "../resources/device.ts";
import { asLabel, asProperty } from "./adapt-name.ts";
import type { Fields } from "./fields.ts";
import { takeMethods } from "./from-methods.ts";
import type { KubeEdgeModel } from "./from-model.ts";
import { type KubeEdgeProperty, takeProperty, takeTopic } from "./from-property.ts";
import { type KubeEdgeProtocol, mapperFor, type Place, protocolOf, takePlace } from "./from-protocol.ts";

export interface TakenDevice {
  readonly spec: DeviceSpec;
  /** the line that it shares with others; null: it has none, and its protocol stands in the device */
  readonly connection: { readonly wanted: string; readonly spec: ConnectionSpec } | null;
}
export interface DeviceSurroundingsOfKubeEdge {
  readonly manifests: readonly MapperManifest[];
  /** for devices that name no node, or another */
  readonly node?: string | undefined;
  /** by the name that the device has for it */
  readonly modelOf: (name: string) => KubeEdgeModel | undefined;
  readonly name: string;
  readonly isBeta: boolean;
}

/** @returns null: it cannot work here, and each reason is told as "refused" */
export function takeDevice(spec: Fields, status: Fields, around: DeviceSurroundingsOfKubeEdge): TakenDevice | null {
  const protocol = protocolOf(spec);
  const manifest = takeMapper(spec, protocol, around.manifests);
  const model = takeModelRef(spec, around);
  const node = takeNode(spec, around.node);
  spec.lose("stateReport", "presence is derived from link, mapper and failed readings", "state presence.offlineAfter");
  if (manifest === null || model === null || node === null) {
    // What can be said without the missing part is said now, so that one round of mending is enough.
    if (model !== null) tellWithoutMapper(spec, status, { ...around, model });
    return null;
  }
  const place = takePlace(withDefaults(protocol, model), manifest);
  const properties = takeProperties(spec, { ...around, manifest, model });
  takeData(spec.child("data"), model, properties);
  const methods: Record<string, MethodSpec> = takeMethods(spec, model, properties);
  takeStatus(status, { model, device: around.name });
  const shared = connectionOf({ place, node, manifest });
  return {
    connection: shared,
    spec: {
      node,
      connection:
        shared === null ? { protocol: manifest.name, ...(hasAny(place.line) && { line: place.line }) } : shared.wanted,
      model: model.name,
      ...(hasAny(place.address) && { address: { ...place.address } }),
      ...(hasAny(properties) && { properties: properties as NonNullable<DeviceSpec["properties"]> }),
      ...(hasAny(methods) && { methods }),
      ...(hasAny(place.custom) && { custom: { ...place.custom } }),
    },
  };
}

function takeMapper(
  spec: Fields,
  { name }: KubeEdgeProtocol,
  manifests: readonly MapperManifest[],
): MapperManifest | null {
  if (name === null) {
    const why = "is missing: without a protocol nobody can reach the device";
    spec.refuse("protocol", { value: undefined, why, todo: "state the protocol" });
    return null;
  }
  const manifest = mapperFor(name, manifests);
  if (manifest === undefined) {
    const known = manifests.map((one) => one.name).join(", ");
    const why = `no mapper for ${name}`;
    spec.refuse("protocol", { value: name, why, todo: `install one, or use one of ${known}` });
  }
  return manifest ?? null;
}

function takeModelRef(spec: Fields, { modelOf }: DeviceSurroundingsOfKubeEdge): KubeEdgeModel | null {
  const reference = spec.child("deviceModelRef");
  const name = reference.text("name");
  const model = name === undefined ? undefined : modelOf(name);
  if (model === undefined) {
    const why =
      name === undefined ? "is missing: the types of the properties stand in the model" : `there is no model "${name}"`;
    reference.refuse("name", { why, todo: "import its DeviceModel too" });
  }
  return model ?? null;
}

function tellWithoutMapper(
  spec: Fields,
  status: Fields,
  { model, isBeta, name }: DeviceSurroundingsOfKubeEdge & { readonly model: KubeEdgeModel },
): void {
  const [list, key] = isBeta ? (["properties", "name"] as const) : (["propertyVisitors", "propertyName"] as const);
  for (const item of spec.list(list)) {
    if (!model.properties.has(item.text(key) ?? "")) tellUnknown(item, key, model);
  }
  takeMethods(spec, model, {});
  takeStatus(status, { model, device: name });
}

function tellUnknown(item: Fields, key: string, model: KubeEdgeModel): void {
  const why = `model "${model.name}" has no property of this name that could be taken: it is left out`;
  item.tell(key, { level: "lossy", why });
}

function hasAny(object: object): boolean {
  return Object.keys(object).length > 0;
}

/** 1.22: what the model says of the protocol holds where the device says nothing. */
function withDefaults(protocol: KubeEdgeProtocol, model: KubeEdgeModel): KubeEdgeProtocol {
  return hasAny(model.protocolConfig) ? { ...protocol, config: protocol.config.over(model.protocolConfig) } : protocol;
}

/** @returns null: nobody says, and it is told */
function takeNode(spec: Fields, instead: string | undefined): string | null {
  const named = spec.text("nodeName");
  const terms = spec.child("nodeSelector").list("nodeSelectorTerms");
  const values = terms.flatMap((term) =>
    term.list("matchExpressions").flatMap((one) => {
      const [key, operator, given] = [one.text("key"), one.text("operator"), one.take("values")];
      if (operator !== "In")
        one.tell("operator", { level: "lossy", why: `only In is understood, of key "${key ?? ""}"` });
      if (key !== undefined && key !== "")
        one.tell("key", { level: "note", why: "a device has one gateway: its name is taken, not a label of it" });
      return operator === "In" && Array.isArray(given) ? given.map(String) : [];
    }),
  );
  if (values.length > 1)
    spec.tell("nodeSelector", { level: "lossy", why: "a device has one gateway: the first is taken" });
  const given = named ?? values[0];
  const at = named === undefined ? "nodeSelector" : "nodeName";
  if (instead !== undefined) {
    if (given !== undefined && given !== instead)
      spec.tell(at, { level: "note", why: `the import was told to use node "${instead}"` });
    return instead;
  }
  if (given === undefined || given === "") {
    spec.refuse("nodeName", { why: "is missing: which gateway has the device", todo: "give --node" });
    return null;
  }
  const node = asLabel(given);
  if (node !== given) spec.tell(at, { level: "note", why: `is no DNS label: taken as ${node}` });
  return node;
}

function takeProperties(
  spec: Fields,
  options: DeviceSurroundingsOfKubeEdge & { readonly manifest: MapperManifest; readonly model: KubeEdgeModel },
): Record<string, KubeEdgeProperty> {
  const { model, isBeta } = options;
  const found: Record<string, KubeEdgeProperty> = {};
  for (const item of spec.list(isBeta ? "properties" : "propertyVisitors")) {
    const key = isBeta ? "name" : "propertyName";
    const name = item.text(key) ?? "";
    const known = model.properties.get(name);
    if (known === undefined) {
      tellUnknown(item, key, model);
      for (const one of item.left()) item.lose(one, "goes with the property");
      continue;
    }
    const property = takeProperty(item, { ...options, name, device: options.name });
    if (hasAny(property)) found[known.name] = property;
  }
  return found;
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of topics
const devicePlaceholder = "${device}";
const usualTopic = "$ke/events/device/+/data/update";

/** v1alpha2: data that does not go by the twin. */
function takeData(data: Fields, model: KubeEdgeModel, properties: Record<string, KubeEdgeProperty>): void {
  const filled = (topic: string) => topic.replace("+", devicePlaceholder);
  const topic = takeTopic(data, "dataTopic", filled);
  for (const item of data.list("dataProperties")) {
    const name = model.properties.get(item.text("propertyName") ?? "")?.name;
    if (name === undefined) {
      item.tell("propertyName", { level: "lossy", why: "the model has no such property" });
      continue;
    }
    const metadata = item.take("metadata");
    const property = properties[name] ?? {};
    if (topic !== undefined && topic !== filled(usualTopic)) property.publish = { topic };
    if (metadata !== undefined) {
      item.tell("metadata", { level: "note", why: "kept in custom.metadata: it is not sent along" });
      property.custom = { ...property.custom, metadata };
    }
    properties[name] = property;
  }
}

/** What a cluster knew of it once: measured anew, and never written to the machine by an import. */
function takeStatus(status: Fields, options: { readonly model: KubeEdgeModel; readonly device: string }): void {
  for (const twin of status.list("twins")) {
    const name = twin.text("propertyName") ?? "";
    const property = options.model.properties.get(name)?.name ?? asProperty(name);
    const { value } = (twin.take("desired") ?? {}) as { readonly value?: unknown };
    const todo = `penstock set ${options.device} ${property} ${String(value ?? "VALUE")}`;
    twin.lose("desired", "an import writes nothing to a machine", todo);
    for (const key of ["reported", "observedDesired"]) twin.lose(key, `what "${name}" shows is measured anew`);
  }
  for (const key of ["state", "lastOnlineTime", "extensions", "reportToCloud", "reportCycle"])
    status.lose(key, "is found out anew");
}

/** Devices with the same place share one Connection. */
function connectionOf(options: {
  readonly place: Place;
  readonly node: string;
  readonly manifest: MapperManifest;
}): TakenDevice["connection"] {
  const { place, node, manifest } = options;
  const { settings, line } = place;
  if (!hasAny(settings)) return null;
  const { path, host, port } = settings as { path?: unknown; host?: unknown; port?: unknown };
  const where = path === undefined ? [host, port] : [String(path).split("/").at(-1)];
  const wanted = asLabel([manifest.name, ...where.filter((one) => one !== undefined), node].join("-"));
  return { wanted, spec: { node, protocol: manifest.name, settings: { ...settings }, ...(hasAny(line) && { line }) } };
}
