import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { AppError, type Micros, type Reading, readingsOf } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { type DmiMessages, dmiServiceDefinition } from "@penstock/wire";
import { createCollect } from "../collect.ts";
import { FakeProcesses } from "../test/fake-mapper.ts";
import { assigned, connection, device, property } from "../test/test-set.ts";
import { type Dmi, openDmi } from "./dmi.ts";
import type { OpenClient } from "./mapper-client.ts";

const manager = dmiServiceDefinition("v1beta1.DeviceManagerService");

/** A mapper that holds what it is told, and can be away or refuse. */
class FakeDmiMapper {
  calls: string[] = [];
  isAway = false;
  refuses = "";
  #lost: () => void = () => {};
  readonly open: OpenClient = async ({ onLost }) => {
    this.#lost = onLost;
    return {
      call: async (method, message) => {
        if (this.isAway) throw new AppError("mapper/connection-lost", "away");
        const { device, model } = message as { device?: { name: string }; model?: { name: string } };
        const { deviceName, modelName } = message as { deviceName?: string; modelName?: string };
        const name = device?.name ?? model?.name ?? deviceName ?? modelName;
        if (name === this.refuses) throw new AppError("mapper/device-failure", "no");
        this.calls.push(`${method} ${name}`);
      },
      ready: async () => {
        if (this.isAway) throw new AppError("mapper/connect-failed", "away");
      },
      close() {},
    };
  };
  die(): void {
    this.isAway = true;
    this.#lost();
  }
}

async function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "dmi-"));
  const clock = new SimClock();
  const mapper = new FakeDmiMapper();
  const path = join(folder, "dmi.sock");
  const opened: Dmi[] = [];
  const open = async () => {
    const dmi = await openDmi({
      ...{ socket: path, folder: join(folder, "dmi"), files: realFiles(), clock, log: silentLog },
      ...{ metrics: metricsRegistry(), isInstalled: (name) => name === "modbus", openClient: mapper.open },
    });
    opened.push(dmi);
    return dmi;
  };
  const dmi = await open();
  const readings: Reading[] = [];
  const collect = createCollect({
    ...{ clock, log: silentLog, metrics: metricsRegistry(), processes: new FakeProcesses(clock), dmi },
    files: { list: async () => [], exists: async () => false } as never, // no mapper is installed
    bus: { publish: async (batch) => void readings.push(...readingsOf(batch)), subscribe: () => () => {} },
    wallOf: (monotonic) => ({ time: monotonic as Micros, uncertain: null }),
    ...{ mapperFolders: [], hostCommand: { command: "node", args: [] }, mapperData: folder },
  });
  const client = new Client(`unix:${path}`, credentials.createInsecure());
  const call = <A>(method: keyof typeof manager, request: object): Promise<A> =>
    new Promise((resolve, reject) => {
      const { path: at, requestSerialize, responseDeserialize } = manager[method];
      client.makeUnaryRequest(at, requestSerialize, responseDeserialize, request, (error, answer) =>
        error === null ? resolve(answer as A) : reject(error),
      );
    });
  t.after(async () => {
    client.close();
    const closed = collect.close();
    await clock.advanceAsync(10_000);
    await closed;
    for (const one of opened) await one.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const register = (name = "m", protocol = "fake") => {
    const address = new TextEncoder().encode(`/run/${name}.sock`);
    const info = { name, protocol, address, version: "1", api_version: "v1beta1", state: "" };
    return call<DmiMessages["MapperRegisterResponse"]>("MapperRegister", { withData: true, mapper: info });
  };
  const report = (deviceName: string, values: Readonly<Record<string, string>>) => {
    const twins = Object.entries(values).map(([propertyName, value]) => ({
      ...{ propertyName, observedDesired: null, reported: { value, metadata: new Map() } },
    }));
    const reportedDevice = { twins, reportToCloud: false, reportCycle: 0 };
    return call("ReportDeviceStatus", { deviceName, deviceNamespace: "acme", reportedDevice });
  };
  const last = (name: string) => readings.filter((one) => one.property === name).at(-1);
  return { clock, mapper, dmi, collect, readings, register, report, last, call, path, folder, open };
}

test("a device that waited for its mapper is told by one that registers, and its reports are readings", async (t) => {
  const { clock, collect, mapper, register, report, last } = await stage(t);
  collect.apply(assigned([device("press", [property("t")])]));
  await clock.advanceAsync(3000);
  assert.equal(last("t")?.reason, "mapper/not-found");
  const answer = await register();
  assert.deepEqual(
    answer.deviceList.map(({ name }) => name),
    ["press"],
  );
  assert.deepEqual(
    answer.modelList.map(({ name }) => name),
    ["press"],
  );
  await clock.advanceAsync(2000);
  await report("press", { t: "21.5" });
  await clock.advanceAsync(100);
  assert.deepEqual([last("t")?.value, last("t")?.quality], [21.5, "good"]);
  // What the answer told is not told again.
  assert.deepEqual(mapper.calls, []);
  collect.apply(assigned([device("press", [property("t")]), device("oven", [property("u")])]));
  await clock.advanceAsync(100);
  assert.deepEqual(mapper.calls, ["CreateDeviceModel oven", "RegisterDevice oven"]);
  assert.deepEqual(collect.devices().find((one) => one.device === "press")?.state, "online");
});

test("a mapper that falls silent while it runs leaves no value that could be taken for the present one", async (t) => {
  const { clock, collect, register, report, last } = await stage(t);
  collect.apply(assigned([device("press", [property("t"), property("u", { collect: { everyMs: 60_000 } })])]));
  await register();
  await clock.advanceAsync(2000);
  await report("press", { t: "1", u: "1" });
  await clock.advanceAsync(9000);
  assert.equal(last("t")?.quality, "good");
  await clock.advanceAsync(4000);
  assert.deepEqual([last("t")?.reason, last("u")?.quality], ["mapper/timeout", "good"]);
  await report("press", { t: "2" });
  await clock.advanceAsync(100);
  assert.equal(last("t")?.value, 2);
});

test("what changed while a mapper was away is told when it is back, a refused device does not hold up the others", async (t) => {
  const { clock, collect, mapper, register, last } = await stage(t);
  collect.apply(assigned([device("press", [property("t")])]));
  await register();
  await clock.advanceAsync(1000);
  mapper.die();
  await clock.advanceAsync(1000);
  assert.equal(last("t")?.reason, "mapper/stopped");
  assert.equal(collect.mappers()[0]?.state, "missing");
  mapper.refuses = "bad";
  collect.apply(assigned(["bad", "good"].map((name) => device(name, [property("t")]))));
  await clock.advanceAsync(1000);
  assert.equal(mapper.calls.length, 0);
  mapper.isAway = false;
  await clock.advanceAsync(6000);
  assert.deepEqual(mapper.calls.slice(0, 2), ["RemoveDevice press", "RemoveDeviceModel press"]);
  assert.ok(mapper.calls.includes("RegisterDevice good") && !mapper.calls.includes("RegisterDevice bad"));
  assert.equal(collect.mappers()[0]?.state, "running");
  mapper.refuses = "";
  await clock.advanceAsync(61_000);
  assert.ok(mapper.calls.includes("RegisterDevice bad"));
  assert.equal(mapper.calls.filter((one) => one === "RegisterDevice good").length, 1);
});

test("an agent that begins anew finds its mappers again and tells them nothing that they know", async (t) => {
  const { clock, collect, mapper, register, dmi, open, folder } = await stage(t);
  const set = assigned([device("press", [property("t")])]);
  collect.apply(set);
  await register();
  await clock.advanceAsync(1000);
  await dmi.close();
  const again = await open();
  assert.ok(again.serves("fake"));
  again.apply(set);
  await clock.advanceAsync(1000);
  assert.deepEqual(mapper.calls, []);
  again.apply(assigned([device("press", [property("t", { unit: "Cel" })])]));
  await clock.advanceAsync(1000);
  assert.deepEqual(mapper.calls, ["UpdateDeviceModel press", "UpdateDevice press"]);
  await again.close();
  writeFileSync(join(folder, "dmi/mappers.json"), "[{}");
  assert.ok(!(await open()).serves("fake"));
});

test("a written value is told once, and confirmed by a report", async (t) => {
  const { clock, collect, mapper, register, report } = await stage(t);
  collect.apply(assigned([device("press", [property("t", { access: "readWrite" })])]));
  await register();
  await clock.advanceAsync(2000);
  const { signal } = new AbortController();
  const written = collect.access.write("press" as never, [{ property: "t", value: 42 }], signal);
  await clock.advanceAsync(100);
  assert.deepEqual(await written, [null]);
  assert.deepEqual(mapper.calls, ["UpdateDeviceModel press", "UpdateDevice press"]);
  const read = collect.access.read("press" as never, "t", signal);
  await clock.advanceAsync(100);
  await report("press", { t: "41" }); // on its way before the write
  await report("press", { t: "42" });
  await clock.advanceAsync(100);
  assert.equal(await read, 42);
});

test("registrations and reports that make no sense are refused in words, and end nothing", async (t) => {
  const { clock, collect, register, report, call } = await stage(t);
  collect.apply(assigned([device("press", [property("t")])], [connection("bus-a")]));
  await assert.rejects(register("", "fake"), /INVALID_ARGUMENT.*name/);
  await assert.rejects(register("m", ""), /INVALID_ARGUMENT.*protocol/);
  await assert.rejects(register("m", "Modbus"), /FAILED_PRECONDITION.*installed mapper "modbus"/);
  await assert.rejects(call("MapperRegister", { withData: true, mapper: null }), /INVALID_ARGUMENT/);
  await assert.rejects(report("press", { t: "1" }), /NOT_FOUND/);
  await register();
  await clock.advanceAsync(1000);
  await report("press", {});
  await call("ReportDeviceStatus", { deviceName: "press", deviceNamespace: "acme", reportedDevice: null });
  await call("ReportDeviceStates", { deviceName: "press", deviceNamespace: "", state: "🤖" });
});

// KubeEdge's mappers dial a bare path; up to grpc-go 1.56 it is the ":authority" as it stands, which Node's HTTP/2 refuses
// before any of our code runs. Later ones encode it. The guide says which mappers work.
test("a mapper whose :authority is an encoded path or localhost is served, one with a bare path is not", async (t) => {
  const { path } = await stage(t);
  const { requestSerialize } = manager.ReportDeviceStates;
  const body = requestSerialize({ deviceName: "x", deviceNamespace: "y", state: "ok" });
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);
  const outcome = (authority: string): Promise<string> =>
    new Promise((resolve) => {
      const session = http2.connect("http://localhost", { createConnection: () => connect(path) });
      session.on("error", (error) => resolve(`session ${(error as NodeJS.ErrnoException).code}`));
      const stream = session.request({
        ...{ ":method": "POST", ":path": manager.ReportDeviceStates.path, ":authority": authority },
        ...{ "content-type": "application/grpc", te: "trailers" },
      });
      const done = (text: string) => {
        session.destroy();
        resolve(text);
      };
      stream.on("error", (error) => done(`stream ${(error as NodeJS.ErrnoException).code}`));
      stream.on(
        "response",
        (headers) => headers["grpc-status"] !== undefined && done(`status ${headers["grpc-status"]}`),
      );
      stream.on("trailers", (headers) => done(`status ${headers["grpc-status"]}`));
      stream.end(message);
    });
  assert.equal(await outcome("localhost"), "status 5");
  assert.equal(await outcome("%2Fetc%2Fkubeedge%2Fdmi.sock"), "status 5");
  assert.match(await outcome("/etc/kubeedge/dmi.sock"), /^stream ERR_HTTP2_STREAM_ERROR|^session/);
});

test("a time that no clock will ever show spoils no value that comes with it", async (t) => {
  const { clock, collect, register, call, last } = await stage(t);
  collect.apply(assigned([device("press", [property("t"), property("u")])]));
  await register();
  await clock.advanceAsync(2000);
  const twin = (propertyName: string, timestamp: string) => {
    const reported = { value: "7", metadata: new Map([["timestamp", timestamp]]) };
    return { propertyName, observedDesired: null, reported };
  };
  const twins = [twin("t", "999999999999999"), twin("u", "946684800000")];
  const reportedDevice = { twins, reportToCloud: false, reportCycle: 0 };
  await call("ReportDeviceStatus", { deviceName: "press", deviceNamespace: "acme", reportedDevice });
  await clock.advanceAsync(100);
  assert.deepEqual([last("t")?.value, last("t")?.reason], [7, "mapper/bad-time"]);
  assert.equal(last("u")?.value, 7);
});

// A protocol's process begins anew with all its devices: one mapper's change of mind must not do that to another's.
test("a mapper that registers under another protocol leaves those of both alone", async (t) => {
  const { clock, collect, register, report, last } = await stage(t);
  const on = (uid: string, protocol: string, mapper: string) => connection(uid, { protocol, settings: { mapper } });
  collect.apply(
    assigned(
      [device("press", [property("t")], "a"), device("oven", [property("u")], "b")],
      [on("a", "fake", "m"), on("b", "other", "n")],
    ),
  );
  await register();
  await register("n", "other");
  await clock.advanceAsync(2000);
  await report("press", { t: "1" });
  await clock.advanceAsync(100);
  const { restarts } = collect.mappers().find(({ mapper }) => mapper === "fake")!;
  for (const protocol of ["fake", "other", "fake"]) await register("changing", protocol);
  await register("n", "third");
  await clock.advanceAsync(1000);
  assert.equal(collect.mappers().find(({ mapper }) => mapper === "fake")!.restarts, restarts);
  assert.equal(last("t")?.quality, "good");
  // Nobody serves its protocol any more.
  assert.equal(last("u")?.quality, "bad");
});

test("what a mapper was told is taken is published, when the gateway stops and when the mapper dies right after it", async (t) => {
  const { clock, collect, mapper, dmi, register, report, readings } = await stage(t);
  const values = () => readings.flatMap(({ value }) => (value === null ? [] : [value]));
  collect.apply(assigned([device("press", [property("t")])]));
  await register();
  await clock.advanceAsync(2000);
  for (const t of ["1", "2", "3"]) await report("press", { t });
  mapper.die();
  await clock.advanceAsync(0);
  assert.deepEqual(values(), [1, 2, 3]);
  mapper.isAway = false;
  await clock.advanceAsync(10_000);
  // More than may be under way at once.
  for (let i = 4; i <= 20; i++) await report("press", { t: String(i) });
  await dmi.stopListening();
  await assert.rejects(report("press", { t: "21" }));
  const closed = collect.close();
  await clock.advanceAsync(100);
  await closed;
  assert.deepEqual(
    values(),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});
