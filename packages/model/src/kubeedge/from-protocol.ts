import { limits } from "../limits.ts";
import type { MapperManifest } from "../mapper-manifest.ts";
import type { LineSpec } from "../resources/line.ts";
import { formatDuration } from "../time.ts";
import type { Fields } from "./fields.ts";
import { takeBlePlace } from "./from-ble.ts";
import { takeModbusPlace } from "./from-modbus.ts";
import { takeOpcuaPlace } from "./from-opcua.ts";
import { takeMs } from "./from-units.ts";

/** How a device is reached, in any version's spelling. */
export interface KubeEdgeProtocol {
  /** "modbus", "virtualProtocol" …; null when the document names none */
  readonly name: string | null;
  readonly config: Fields;
  /** v1alpha2: what is alike for every protocol */
  readonly common: Fields | null;
}
const typed = ["opcua", "modbus", "bluetooth"] as const;

/** v1beta1 names the protocol and has free settings; v1alpha has a field a protocol. */
export function protocolOf(spec: Fields): KubeEdgeProtocol {
  const protocol = spec.child("protocol");
  const common = protocol.has("common") ? protocol.child("common") : null;
  const own = typed.find((one) => protocol.has(one));
  if (own !== undefined) return { name: own, config: protocol.child(own), common };
  const custom = protocol.has("customizedProtocol") ? protocol.child("customizedProtocol") : protocol;
  return { name: custom.text("protocolName") ?? null, config: custom.child("configData"), common };
}

/**
 * The settings of one property's visitor, in any version's spelling.
 *
 * @param spoken  by the device; a visitor for another mapper is told
 */
export function visitorOf(
  visitor: Fields,
  spoken?: MapperManifest,
): { readonly name: string | null; readonly config: Fields } {
  const own = typed.find((one) => visitor.has(one));
  const custom = visitor.has("customizedProtocol") ? visitor.child("customizedProtocol") : visitor;
  const name = own ?? custom.text("protocolName") ?? null;
  if (name !== null && spoken !== undefined && mapperFor(name, [spoken]) === undefined) {
    const why = `the device speaks ${spoken.name}: the visitor is read as one of ${spoken.name}`;
    (own === undefined ? custom : visitor).tell(own ?? "protocolName", {
      level: "lossy",
      why,
      todo: "check the visitor",
    });
  }
  return { name, config: own === undefined ? custom.child("configData") : visitor.child(own) };
}

const mapperNames: ReadonlyMap<string, string> = new Map([
  ["modbustcp", "modbus"],
  ["modbusrtu", "modbus"],
  ["virtualprotocol", "virtual"],
  ["bluetooth", "ble"],
  ["bluetoothle", "ble"],
]);

/** The mapper for a protocol of KubeEdge; undefined: none is installed. */
export function mapperFor(name: string, manifests: readonly MapperManifest[]): MapperManifest | undefined {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const wanted = mapperNames.get(plain) ?? plain;
  return manifests.find((one) => one.name.replaceAll("-", "") === wanted);
}

/** Where a device is: what its Connection, its address and its custom block become. */
export interface Place {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly address: Readonly<Record<string, unknown>>;
  readonly line: LineSpec;
  readonly custom: Readonly<Record<string, unknown>>;
}

export function takePlace(protocol: KubeEdgeProtocol, manifest: MapperManifest): Place {
  const { config, common } = protocol;
  const line = common === null ? {} : takeLine(common);
  const place = takeOwnPlace(config, common, manifest.name);
  const rest = takeBySchema(config, manifest, ["connection", "address"]);
  const custom = { ...rest.custom };
  const further = common?.take("customizedValues");
  if (typeof further === "object" && further !== null) Object.assign(custom, further);
  const commType = common?.text("commType");
  if (commType !== undefined) {
    common?.tell("commType", { level: "note", why: "has no field of its own: kept in custom" });
    custom.commType = commType;
  }
  return {
    settings: { ...place.settings, ...rest.connection },
    address: { ...place.address, ...rest.address },
    line: { ...place.line, ...line },
    custom,
  };
}

/** Protocols that have a spelling of their own in KubeEdge. */
function takeOwnPlace(
  config: Fields,
  common: Fields | null,
  mapper: string,
): Pick<Place, "settings" | "address"> & Partial<Pick<Place, "line">> {
  if (mapper === "modbus") return takeModbusPlace(config, common);
  if (mapper === "opcua") return takeOpcuaPlace(config, common);
  return mapper === "ble" ? takeBlePlace(config) : { settings: {}, address: {} };
}

/** Each field goes where the mapper's schemas have one of its name; what none has is kept in custom. */
export function takeBySchema<P extends "connection" | "address" | "visitor">(
  config: Fields,
  manifest: MapperManifest,
  parts: readonly P[],
): { readonly [K in P | "custom"]: Record<string, unknown> } {
  const found: Record<string, Record<string, unknown>> = Object.fromEntries(
    [...parts, "custom"].map((part) => [part, {}]),
  );
  for (const key of config.left()) {
    const part = parts.find((one) => Object.hasOwn((manifest[one].properties as object | undefined) ?? {}, key));
    if (part === undefined) {
      config.tell(key, { level: "note", why: `mapper ${manifest.name} has no field of this name: kept in custom` });
    }
    found[part ?? "custom"]![key] = config.take(key);
  }
  // Its keys are those of `parts`, and custom.
  return found as { readonly [K in P | "custom"]: Record<string, unknown> };
}

const timeoutBounds = { least: limits.lineTimeoutMinMs, most: limits.lineTimeoutMaxMs };

/** What v1alpha2 calls common: how the line is used, whatever the protocol. */
function takeLine(common: Fields): LineSpec {
  const timeout = takeMs(common, "collectTimeout", timeoutBounds);
  const connectTimeout = takeMs(common, "reconnTimeout", timeoutBounds);
  const retries = common.number("collectRetryTimes");
  const most = limits.lineRetriesMost;
  if (retries !== undefined && (retries > most || retries < 0 || !Number.isInteger(retries))) {
    common.tell("collectRetryTimes", { level: "lossy", why: `must be 0..${most}` });
  }
  common.lose(
    "reconnRetryTimes",
    "a lost line is tried again for ever, with growing pauses",
    "see backOff of the Connection's line",
  );
  const type = common.text("collectType");
  const isKnown = type === "sync" || type === "async";
  if (type !== undefined && !isKnown) common.tell("collectType", { level: "lossy", why: "must be sync or async" });
  return {
    ...(timeout !== undefined && { timeout: formatDuration(timeout) }),
    ...(connectTimeout !== undefined && { connectTimeout: formatDuration(connectTimeout) }),
    ...(retries !== undefined && { retries: Math.min(most, Math.max(0, Math.round(retries))) }),
    ...(isKnown && { collection: type }),
  };
}
