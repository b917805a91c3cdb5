import type {
  AssignedSet,
  ConnectionUid,
  DeviceUid,
  EffectiveConnection,
  EffectiveDevice,
  EffectiveProperty,
  NodeUid,
  TenantUid,
} from "@penstock/model";
import { defaultLine } from "@penstock/model";

/** For tests: short ways to an assigned set. */
const report = { toCloud: true, cadence: null, deadband: null, atLeastMs: null };
export function property(name: string, more: Partial<EffectiveProperty> = {}): EffectiveProperty {
  const common = { type: "float64", unit: null, access: "read", minimum: null, maximum: null, visitor: {} } as const;
  return {
    name,
    ...common,
    collect: { everyMs: 1000 },
    report,
    publish: null,
    localWrites: "refuse",
    custom: {},
    ...more,
  };
}

export function device(uid: string, properties: readonly EffectiveProperty[], on = "bus-a"): EffectiveDevice {
  const connection = on as ConnectionUid;
  return {
    uid: uid as DeviceUid,
    name: uid,
    generation: 1,
    connection,
    address: {},
    properties,
    methods: [],
    offlineAfterMs: null,
    custom: {},
  };
}

export function connection(uid: string, more: Partial<EffectiveConnection> = {}): EffectiveConnection {
  return { uid: uid as ConnectionUid, name: uid, protocol: "fake", settings: {}, line: defaultLine, ...more };
}

let version = 0;
export function assigned(
  devices: readonly EffectiveDevice[],
  connections: readonly EffectiveConnection[] = [connection("bus-a")],
): AssignedSet {
  const tenant = { uid: "t1" as TenantUid, name: "acme" };
  const node = { uid: "n1" as NodeUid, name: "gw-01", timeZone: "UTC" };
  return { version: ++version, tenant, node, connections, devices, rules: [] };
}
