import { limits } from "../limits.ts";
import type { MapperManifest } from "../mapper-manifest.ts";
import type { DeviceModelSpec, PropertySpec } from "../resources/device.ts";
import type { ValueType } from "../value.ts";
import { asProperty, unusedName } from "./adapt-name.ts";
import type { Fields } from "./fields.ts";
import { mapperFor, visitorOf } from "./from-protocol.ts";
import { takeBound, takeUnit, typesOfKubeEdge } from "./from-units.ts";
import { takeVisitor } from "./from-visitor.ts";

/** A DeviceModel of KubeEdge, understood, with what its devices need of it. */
export interface KubeEdgeModel {
  readonly name: string;
  readonly spec: DeviceModelSpec;
  /** by the name in KubeEdge */
  readonly properties: ReadonlyMap<string, { readonly name: string; readonly spec: PropertySpec }>;
  /** 1.22 and later: settings that instances start from, as they stand there */
  readonly visitors: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly protocolConfig: Readonly<Record<string, unknown>>;
}

export function takeModel(name: string, spec: Fields, manifests: readonly MapperManifest[]): KubeEdgeModel {
  const protocol = spec.text("protocol");
  const manifest = protocol === undefined ? undefined : mapperFor(protocol, manifests);
  if (protocol !== undefined && manifest === undefined) {
    spec.tell("protocol", {
      level: "lossy",
      why: `no mapper for ${protocol}: the model is for any protocol`,
      todo: "install the mapper",
    });
  }
  const properties = new Map<string, { readonly name: string; readonly spec: PropertySpec }>();
  const visitors = new Map<string, Readonly<Record<string, unknown>>>();
  const names = new Set<string>();
  for (const item of spec.list("properties")) {
    const given = item.text("name") ?? "";
    const property = unusedName(asProperty(given), (one) => names.has(one));
    names.add(property);
    if (property !== given)
      item.tell("name", { level: "note", why: `taken as ${property}: names are letters, digits, - and _` });
    const fields = takeModelProperty(item, given);
    const config = fields === null ? null : takeModelVisitor(item, { visitors, name: given, manifest });
    if (config !== null && manifest === undefined)
      item.lose("visitors", "without a mapper for the protocol its fields mean nothing");
    if (fields === null) continue;
    const own = manifest === undefined || config === null ? null : takeVisitor(config, manifest, fields.type);
    properties.set(given, { name: property, spec: { ...fields, ...own } });
  }
  for (const item of spec.list("propertyVisitors")) {
    // v1alpha1 had them here, with everything else that now stands in the device.
    const given = item.text("propertyName") ?? "";
    const { name: theirs, config } = visitorOf(item);
    const found = properties.get(given);
    const mapper = mapperFor(theirs ?? "", manifests);
    if (found === undefined || mapper === undefined) {
      const why = found === undefined ? "the model has no such property" : `no mapper for ${theirs}`;
      item.tell("propertyName", { level: "lossy", why });
      for (const key of config.left()) config.lose(key, "goes with the visitor");
      continue;
    }
    properties.set(given, { ...found, spec: { ...found.spec, ...takeVisitor(config, mapper, found.spec.type) } });
  }
  const config = spec.take("protocolConfigData");
  return {
    name,
    spec: {
      ...(manifest !== undefined && { protocol: manifest.name }),
      properties: Object.fromEntries([...properties.values()].map((one) => [one.name, one.spec])),
    },
    properties,
    visitors,
    protocolConfig: typeof config === "object" && config !== null ? (config as Record<string, unknown>) : {},
  };
}

/** @returns null: it cannot be one of ours */
function takeModelProperty(item: Fields, name: string): PropertySpec | null {
  const old = item.take("type");
  let fields = item;
  let word: string;
  if (typeof old === "object" && old !== null) {
    // v1alpha: the type is the name of a field that holds the rest
    const types = item.child("type");
    word = types.left()[0] ?? "";
    fields = types.child(word);
    fields.lose("defaultValue", "a property has no value until it is read", "penstock set DEVICE PROPERTY VALUE");
  } else word = String(old ?? "");
  const type: ValueType | undefined = typesOfKubeEdge[word.toUpperCase()];
  if (type === undefined) {
    const why =
      word.toUpperCase() === "STREAM"
        ? `streams are files, not values: property "${name}" is left out`
        : `no such type: property "${name}" is left out`;
    item.tell("type", { level: "lossy", why });
    for (const one of [item, fields]) for (const key of one.left()) one.lose(key, "goes with the property");
    return null;
  }
  const mode = fields.text("accessMode");
  if (mode !== undefined && mode !== "ReadWrite" && mode !== "ReadOnly") {
    fields.tell("accessMode", { level: "lossy", why: "must be ReadWrite or ReadOnly: taken as ReadOnly" });
  }
  const description = item.text("description");
  if (description !== undefined && description.length > limits.descriptionChars) {
    item.tell("description", { level: "lossy", why: `cut to ${limits.descriptionChars} characters` });
  }
  const [minimum, maximum, unit] = [
    takeBound(fields, "minimum", type),
    takeBound(fields, "maximum", type),
    takeUnit(fields, "unit"),
  ];
  return {
    type,
    ...(description !== undefined && { description: description.slice(0, limits.descriptionChars) }),
    ...(unit !== undefined && { unit }),
    access: mode === "ReadWrite" ? "readWrite" : "read",
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
}

/** What instances start from is kept as it stands there, and read as the model's own. */
function takeModelVisitor(
  item: Fields,
  options: {
    readonly visitors: Map<string, Readonly<Record<string, unknown>>>;
    readonly name: string;
    readonly manifest: MapperManifest | undefined;
  },
): Fields | null {
  if (!item.has("visitors")) return null;
  const { configData } = item.take("visitors") as { readonly configData?: unknown };
  if (typeof configData === "object" && configData !== null) {
    options.visitors.set(options.name, configData as Record<string, unknown>);
  }
  return visitorOf(item.child("visitors"), options.manifest).config;
}
