import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KillableProcess, MemoryUnit, ModbusServer, needs } from "@penstock/testkit";
import { Foreign, type Said } from "./dmi/foreign.ts";
import { cliMain, root } from "./support/penstock.ts";

// Our Modbus mapper under a manager that is not ours and behaves as EdgeCore does, with code that protoc made.

const needed = needs("python3-grpcio", "python3-grpc-tools");
const folder = mkdtempSync(join(tmpdir(), "penstock-dmi-"));
const closers: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
after(async () => {
  for (const close of closers.toReversed()) await close();
});
const socket = join(folder, "dmi.sock");
const own = join(folder, "modbus.sock");

function startManager(perSecond: number, burst: number): Foreign {
  const one = new Foreign("manager.py", socket, "modbus", String(perSecond), String(burst));
  closers.push(() => one.kill());
  return one;
}

test(
  "our Modbus mapper serves a manager like EdgeCore: register, devices, updates, writes, limits, restarts",
  needed,
  async () => {
    const unit = new MemoryUnit({ holding: 100 });
    unit.holding.set([17, 0x41ac, 0], 10);
    unit.holding[20] = 5;
    const plant = await ModbusServer.listen({ units: new Map([[3, unit]]), keepRequests: 10_000 });
    closers.push(() => plant.close());
    const writes = () => plant.stats.seen.filter((one) => [5, 6, 15, 16].includes(one.function)).length;
    // KubeEdge's own words for Modbus, every number a float of 32 bits.
    const config = { communicateMode: "TCP", ip: "127.0.0.1", port: plant.port, slaveID: 3 };
    const speed = {
      type: "INT",
      visitor: { register: "HoldingRegister", offset: 10, limit: 1 },
      collect: 100,
      report: 200,
    };
    const heat = {
      type: "FLOAT",
      visitor: { register: "HoldingRegister", offset: 11, limit: 2 },
      collect: 100,
      report: 200,
    };
    const target = {
      ...{ type: "INT", access: "ReadWrite", maximum: "100", desired: "5" },
      ...{ visitor: { register: "HoldingRegister", offset: 20, limit: 1 }, collect: 100, report: 200 },
    };
    let manager = startManager(50, 20);
    await manager.next({ listening: socket });
    await manager.do({ do: "prepare", name: "pump", config, properties: { speed, target } });
    const mapper = new KillableProcess({
      name: "mapper",
      command: process.execPath,
      args: [
        ...[
          cliMain,
          "mapper",
          "dmi",
          join(root, "packages/mappers/modbus"),
          "--edgecore-sock",
          socket,
          "--socket",
          own,
        ],
        ...["--data-dir", join(folder, "data"), "--calls-per-second", "50", "--burst", "20"],
      ],
    });
    closers.push(() => mapper.kill());
    await mapper.start();
    const registered = await manager.next({ registered: "penstock-modbus" });
    assert.deepEqual(
      [registered.protocol, registered.address, registered.api, registered.withData],
      ["modbus", own, "v1beta1", true],
    );
    const first = await manager.next({ device: "pump", namespace: "plant" });
    const { twins, stamps } = first as { twins: Record<string, unknown>; stamps: string[] };
    // All of a device's values in one call.
    assert.deepEqual(twins, { speed: ["17", "", "INT"], target: ["5", "5", "INT"] });
    assert.ok(stamps.every((stamp) => Math.abs(Number(stamp) - Date.now()) < 60_000));
    await manager.next({ device: "pump", state: "online" });
    // The device has the wanted value already, and reading writes nothing.
    assert.equal(writes(), 0);

    const next = async (name: string, twin: string, value: string): Promise<void> => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const from = manager.said.length;
        const said = (await manager.next({ device: name, namespace: "plant" }, { from })) as {
          twins: Record<string, string[]>;
        };
        if (said.twins[twin]?.[0] === value) return;
        assert.ok(Date.now() < deadline, `${twin} is ${said.twins[twin]?.[0]}, want ${value}`);
      }
    };
    const added = await manager.do({ do: "add", name: "oven", config, properties: { heat } });
    assert.deepEqual(added.result, ["oven", "plant"]);
    await next("oven", "heat", "21.5");
    assert.deepEqual((await manager.do({ do: "get", name: "oven" })).result, { heat: "21.5" });

    // A new wanted value is written once, however often the same is told.
    const properties = { speed, target: { ...target, desired: "42" } };
    for (let i = 0; i < 3; i++)
      assert.equal((await manager.do({ do: "update", name: "pump", config, properties })).error, undefined);
    await next("pump", "target", "42");
    assert.equal(unit.holding[20], 42);
    assert.equal(writes(), 1);
    const wrong = { speed, target: { ...target, desired: "4200" } };
    const refused = await manager.do({ do: "update", name: "pump", config, properties: wrong });
    assert.equal(refused.error, "INVALID_ARGUMENT", JSON.stringify(refused));
    assert.equal(unit.holding[20], 42);
    // Another cycle begins the device anew, and still writes nothing that it has.
    await manager.do({
      do: "update",
      name: "pump",
      config,
      properties: { ...properties, speed: { ...speed, collect: 150 } },
    });
    unit.holding[10] = 18;
    await next("pump", "speed", "18");
    assert.equal(writes(), 1);

    await manager.do({ do: "remove", name: "oven" });
    const gone = manager.said.length;
    await next("pump", "speed", "18");
    await next("pump", "speed", "18");
    assert.ok(!manager.said.slice(gone + 3).some((said: Said) => said.device === "oven"));
    assert.equal((await manager.do({ do: "get", name: "oven" })).error, "NOT_FOUND");

    // The plant falls silent: no value is told as present, and the state says why.
    plant.dead = new Set([3]);
    await manager.next({ device: "pump", state: "offline" }, { from: gone, withinMs: 40_000 });
    plant.dead = new Set();

    // Another manager in its place knows of another device, takes one call a second and two at once.
    await manager.kill();
    manager = startManager(1, 2);
    await manager.next({ listening: socket });
    await manager.do({ do: "prepare", name: "pump", config, properties: { speed } });
    await manager.next({ registered: "penstock-modbus" }, { withinMs: 40_000 });
    unit.holding[10] = 19;
    await next("pump", "speed", "19");
    await manager.next({ limited: true }, { withinMs: 20_000 });
    unit.holding[10] = 20;
    await next("pump", "speed", "20");
    assert.ok(!manager.said.some((said) => said.fatal !== undefined));
  },
);
