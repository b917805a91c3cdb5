/**
 * A manager like EdgeCore that makes noise at both ends of a mapper, and the plant that the mapper reads, which means well.
 * Arguments: folder with manager.sock and mapper.sock, seed.
 */
import { join } from "node:path";
import { MemoryUnit, ModbusServer, SimRandom } from "@penstock/testkit";
import { type DmiDevice, type DmiModel, decodeDmi, dmiAccess, encodeDmi, toAny } from "@penstock/wire";
import { BareGrpcClient } from "../dmi/bare-grpc-client.ts";
import { oneOf, upTo } from "./noise-bytes.ts";
import { type GoodCall, noisyCalls } from "./noisy-calls.ts";
import { noisyServer } from "./noisy-server.ts";
import { heldAt, places, tenant } from "./shape.ts";

const [folder = "", seed = "0"] = process.argv.slice(2);
const random = new SimRandom(Number(seed));
let isQuiet = false;
let reports = 0;
const findings: string[] = [];
const rightAt = new Map<string, number>();

const unit = new MemoryUnit({ holding: 100 });
for (let i = 0; i < places; i++) unit.holding[i] = heldAt(i);
const plant = await ModbusServer.listen({ units: new Map([[1, unit]]) });

const settings = (data: Readonly<Record<string, string | number>>) => ({
  protocolName: "modbus",
  configData: { data: new Map(Object.entries(data).map(([key, value]) => [key, toAny(value)])) },
});
/** as KubeEdge's own documents have it */
function deviceOf(name: string, cycle = 100): { readonly device: DmiDevice; readonly model: DmiModel } {
  const names = Array.from({ length: places }, (_, i) => `p${i}`);
  const own = { name, namespace: tenant };
  const plain = { description: "", type: "INT", accessMode: dmiAccess.read, minimum: "", maximum: "", unit: "" };
  const model = { ...own, spec: { properties: names.map((each) => ({ ...plain, name: each })) } };
  const properties = names.map((each, offset) => ({
    ...{ name: each, desired: { value: "", metadata: new Map() }, pushMethod: {} },
    visitors: settings({ register: "HoldingRegister", offset, limit: 1 }),
    ...{ reportCycle: 200, collectCycle: cycle, reportToCloud: true },
  }));
  const protocol = settings({ communicateMode: "TCP", ip: "127.0.0.1", port: plant.port, slaveID: 1 });
  const device = {
    ...own,
    spec: { deviceModelReference: name, protocol, properties, methods: [] },
    status: { twins: [], reportToCloud: true, reportCycle: 1000 },
  };
  return { device, model };
}

/** The pump is told as it is; the other device in any way, and what it then reports is nobody's to judge. */
function goodCall(): GoodCall {
  const isPump = random.number() < 0.3;
  const name = isPump ? "pump" : "odd";
  const { device, model } = deviceOf(name, isPump ? 100 : 50 + upTo(random, 200));
  const by = { deviceName: name, deviceNamespace: tenant };
  const call = (method: string, message: Uint8Array): GoodCall => ({
    ...{ method: `/v1beta1.DeviceMapperService/${method}`, message, mayBeSpoilt: !isPump },
  });
  return oneOf<() => GoodCall>(random, [
    () => call("CreateDeviceModel", encodeDmi("CreateDeviceModelRequest", { model })),
    () => call("RegisterDevice", encodeDmi("RegisterDeviceRequest", { device })),
    () => call("UpdateDevice", encodeDmi("UpdateDeviceRequest", { device })),
    () => call("UpdateDeviceModel", encodeDmi("UpdateDeviceModelRequest", { model })),
    () => call("RemoveDevice", encodeDmi("RemoveDeviceRequest", by)),
    () => call("GetDevice", encodeDmi("GetDeviceRequest", by)),
  ])();
}

function answer(method: string, request: Buffer): Uint8Array {
  if (method.endsWith("/MapperRegister")) {
    const { device, model } = deviceOf("pump");
    return encodeDmi("MapperRegisterResponse", { deviceList: [device], modelList: [model] });
  }
  if (method.endsWith("/ReportDeviceStatus")) {
    reports++;
    const { deviceName, reportedDevice } = decodeDmi("ReportDeviceStatusRequest", request);
    for (const { propertyName, reported } of deviceName === "pump" ? (reportedDevice?.twins ?? []) : []) {
      const right = String(heldAt(Number(propertyName.slice(1))));
      if (reported?.value === right) rightAt.set(propertyName, performance.now());
      else if (findings.length < 20) findings.push(`${propertyName} is ${reported?.value}, not ${right}`);
    }
  }
  return new Uint8Array();
}

await noisyServer({
  path: join(folder, "manager.sock"),
  random,
  isQuiet: () => isQuiet,
  right: answer,
  wellShare: 0.9,
});
let noise: Promise<number>[] = [];
process.on("disconnect", () => process.exit(0));
process.on("message", (said) => {
  if (said === "go") {
    const path = join(folder, "mapper.sock");
    noise = Array.from({ length: 2 }, () => noisyCalls({ path, random, isQuiet: () => isQuiet, good: goodCall }));
    return;
  }
  isQuiet = true;
  void settle();
});

/** It means well again: all is reported, by whatever the mapper still had under way. */
async function settle(): Promise<void> {
  const made = await Promise.all(noise);
  const from = performance.now();
  // The last that was said of the pump may have been that it goes.
  const { device, model } = deviceOf("pump");
  const client = new BareGrpcClient(join(folder, "mapper.sock"));
  const calls = [
    ["CreateDeviceModel", encodeDmi("CreateDeviceModelRequest", { model })],
    ["RegisterDevice", encodeDmi("RegisterDeviceRequest", { device })],
  ] as const;
  for (const [method, message] of calls) {
    const { status } = await client.call(`/v1beta1.DeviceMapperService/${method}`, message);
    if (status !== 0) findings.push(`${method} of a manager that is well ended with ${status}`);
  }
  client.close();
  const isBack = () => [...rightAt.values()].filter((at) => at > from).length === places;
  while (!isBack() && performance.now() < from + 45_000) await new Promise((done) => setTimeout(done, 50));
  if (!isBack()) findings.push("the manager is well, and not all of the pump is reported");
  const backMs = Math.round(performance.now() - from);
  process.send!({ reports, findings, backMs, made: made.reduce((sum, one) => sum + one, 0) });
}
process.send!("begun");
