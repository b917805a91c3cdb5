import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  type AssignedSet,
  type ConnectionSpec,
  type ConnectionUid,
  type DeviceSpec,
  type DeviceUid,
  effectiveConnection,
  effectiveDevice,
  mergeDevice,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { readBadDevices } from "../../../../examples/bad-devices/read-bad-devices.ts";
import { checkAssignedSet } from "./check-assigned.ts";

const { plant, bad } = readBadDevices();
const bus = plant.find((one) => one.kind === "Connection")!.spec as ConnectionSpec;

function setOf(spec: DeviceSpec): AssignedSet {
  const connection = typeof spec.connection === "string" ? bus : spec.connection;
  const uid = "c1" as ConnectionUid;
  const device = { uid: "d1" as DeviceUid, name: "temp-01", generation: 1, connection: uid };
  return {
    version: 1,
    tenant: { uid: "t1" as TenantUid, name: "acme" },
    node: { uid: "n1" as NodeUid, name: "gw-01", timeZone: "UTC" },
    connections: [effectiveConnection({ uid, name: "bus-a", spec: connection })],
    devices: [effectiveDevice({ ...device, merged: mergeDevice(null, spec) })],
    rules: [],
  };
}

test("checkAssignedSet() takes a device that is right", () => {
  checkAssignedSet(setOf(plant.find((one) => one.kind === "Device")!.spec as DeviceSpec));
});

for (const { about, document, gateway } of bad) {
  if (gateway === undefined) continue;
  test(`checkAssignedSet() refuses ${about}`, () => {
    assert.throws(
      () => checkAssignedSet(setOf(document.spec as DeviceSpec)),
      (error) => {
        assert.ok(error instanceof AppError, String(error));
        const named = error.fields.find((one) => one.field === gateway);
        assert.ok(named, `${gateway}\nwas told ${JSON.stringify(error.fields, null, 1)}`);
        assert.ok(named.value !== "" && named.rule !== "");
        return true;
      },
    );
  });
}
