import assert from "node:assert/strict";
import {
  AppError,
  type DeviceUid,
  type ErrorCode,
  type NodeIdentity,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { system } from "../context.ts";
import type { TestBench } from "./test-bench.ts";

/** A small plant in the default tenant, for tests of services. */
export const tenant = "default";
export const ref = (name: string) => ({ tenant, name });

export function refuses(code: ErrorCode, about?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    if (about !== undefined) assert.match(error.message, about);
    return true;
  };
}

const speed = {
  type: "int64",
  access: "readWrite",
  minimum: 0,
  maximum: "9007199254740993",
  visitor: { table: "holding", offset: 1 },
};
export const temperature = { type: "float64", unit: "Cel", visitor: { table: "holding", offset: 0 } };

/** One gateway, one bus, one device with a writable `speed` and a read-only `temperature`. */
export async function plant({ services }: TestBench, suffix: string) {
  const [node, bus, device] = [`gw-${suffix}`, `bus-${suffix}`, `conveyor-${suffix}`];
  await services.nodes.create(system, ref(node), { metadata: { name: node }, spec: {} });
  await services.connections.create(system, ref(bus), {
    metadata: { name: bus },
    spec: { node, protocol: "modbus", settings: { host: "127.0.0.1" } },
  });
  const made = await services.devices.create(system, ref(device), {
    metadata: { name: device },
    spec: { node, connection: bus, address: { unitId: 1 }, properties: { speed, temperature } },
  });
  const nodeUid = (await services.nodes.get(system, ref(node))).metadata.uid as NodeUid;
  const tenantUid = (await services.tenants.get(system, { tenant: "", name: tenant })).metadata.uid as TenantUid;
  const identity: NodeIdentity = { tenant: tenantUid, node: nodeUid };
  return { node, bus, device, identity, uid: made.metadata.uid as DeviceUid, etag: made.metadata.resourceVersion };
}
