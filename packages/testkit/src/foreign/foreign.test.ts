import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { MemoryUnit, ModbusServer, wordsOf } from "../modbus-server/index.ts";
import { needs, systemPython } from "../needs.ts";
import { PlantClockwork, plantModbusUnits } from "../plant/index.ts";
import { KillableProcess } from "../process-killer.ts";

const run = promisify(execFile);

/** Asks the client one line after the other. */
async function pymodbus(port: number, asks: readonly object[]): Promise<unknown[]> {
  const client = spawn(systemPython, [join(import.meta.dirname, "pymodbus_client.py"), "127.0.0.1", String(port)]);
  let output = "";
  let errors = "";
  client.stdout.on("data", (text) => {
    output += String(text);
  });
  client.stderr.on("data", (text) => {
    errors += String(text);
  });
  client.stdin.end(asks.map((ask) => `${JSON.stringify(ask)}\n`).join(""));
  const code = await new Promise((resolve) => client.once("close", resolve));
  assert.equal(code, 0, errors);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

test("pymodbus reads and writes the plant as its register map says", needs("python3-pymodbus"), async () => {
  let micros = 0;
  const clockwork = new PlantClockwork({ clock: { monotonic: () => micros }, seed: 1 });
  const server = await ModbusServer.listen({ units: plantModbusUnits(clockwork) });
  try {
    const speed42 = [...wordsOf("float32", "ABCD", 42)];
    const [speed, written, again, enabled, off, tooFast, level, flags, total, setpoint, missing, noUnit] =
      await pymodbus(server.port, [
        { do: "holding", unit: 2, start: 0, count: 2 },
        { do: "write-registers", unit: 2, start: 0, value: speed42 },
        { do: "holding", unit: 2, start: 0, count: 2 },
        { do: "coil", unit: 2, start: 0, count: 1 },
        { do: "write-coil", unit: 2, start: 0, value: false },
        { do: "write-registers", unit: 2, start: 0, value: [...wordsOf("float32", "ABCD", 101)] },
        { do: "input", unit: 1, start: 0, count: 6 },
        { do: "discrete", unit: 1, start: 0, count: 5 },
        { do: "input", unit: 3, start: 4, count: 4 },
        { do: "write-register", unit: 1, start: 0, value: 421 },
        { do: "input", unit: 1, start: 31, count: 2 },
        { do: "input", unit: 9, start: 0, count: 1 },
      ]);
    assert.deepEqual(speed, { values: [0x4270, 0] }, "60 m/min");
    assert.deepEqual(written, { written: true });
    assert.deepEqual(again, { values: speed42 });
    assert.deepEqual(enabled, { values: [true] });
    assert.deepEqual(off, { written: true });
    assert.deepEqual(tooFast, { exception: 3 });
    // 1.2 m, 34.0 Cel in tenths, 1200 L with its words swapped, the flag word: running.
    assert.deepEqual(level, { values: [0x3f99, 0x999a, 340, 0x0000, 0x4496, 1] });
    assert.deepEqual(flags, { values: [true, false, false, false, false] });
    assert.deepEqual(total, { values: [0, 3, 0, 0] });
    assert.deepEqual(setpoint, { written: true });
    assert.deepEqual(missing, { exception: 2 });
    assert.deepEqual(noUnit, { exception: 11 });
    assert.ok(Math.abs(clockwork.line().tank.setpointC - 42.1) < 1e-9);
    micros += 60e6;
    assert.ok(clockwork.line().conveyor.speed < 0.01, "the coil has stopped the belt");
  } finally {
    await server.close();
  }
});

test("pymodbus writes many coils and registers as we hold them", needs("python3-pymodbus"), async () => {
  const unit = new MemoryUnit({ coil: 20, holding: 130 });
  const server = await ModbusServer.listen({ units: new Map([[1, unit]]) });
  try {
    const bits = Array.from({ length: 11 }, (_, i) => i % 4 === 1);
    const words = Array.from({ length: 123 }, (_, i) => i * 500);
    const answers = await pymodbus(server.port, [
      { do: "write-coils", unit: 1, start: 3, value: bits },
      { do: "write-registers", unit: 1, start: 7, value: words },
      { do: "coil", unit: 1, start: 3, count: 11 },
      { do: "holding", unit: 1, start: 7, count: 123 },
    ]);
    assert.deepEqual(answers, [{ written: true }, { written: true }, { values: bits }, { values: words }]);
    assert.deepEqual(unit.coil.slice(3, 14), bits);
  } finally {
    await server.close();
  }
});

test("mbpoll reads our server", needs("mbpoll"), async () => {
  const unit = new MemoryUnit({ holding: 10 });
  unit.holding.set([17, 4711, ...wordsOf("float32", "ABCD", 21.5)]);
  const server = await ModbusServer.listen({ units: new Map([[5, unit]]) });
  try {
    const ask = async (...args: string[]) =>
      (await run("mbpoll", ["-m", "tcp", "-p", String(server.port), "-a", "5", "-0", "-1", ...args, "127.0.0.1"]))
        .stdout;
    const words = await ask("-t", "4", "-r", "0", "-c", "2");
    assert.match(words, /\[0\]:\s+17\n\[1\]:\s+4711/);
    assert.match(await ask("-t", "4:float", "-B", "-r", "2", "-c", "1"), /\[2\]:\s+21\.5/);
  } finally {
    await server.close();
  }
});

test("pymodbus_server.py comes up and holds its map", needs("python3-pymodbus"), async () => {
  const script = join(import.meta.dirname, "pymodbus_server.py");
  const server = new KillableProcess({ name: "pymodbus", command: systemPython, args: [script] });
  const { port } = (await server.start()) as { port: number };
  try {
    const answers = await pymodbus(port, [
      { do: "holding", unit: 1, start: 100, count: 3 },
      { do: "holding", unit: 1, start: 103, count: 2 },
      { do: "input", unit: 2, start: 5, count: 1 },
      { do: "coil", unit: 1, start: 0, count: 4 },
    ]);
    const float = [...wordsOf("float32", "ABCD", 21.5)];
    assert.deepEqual(answers, [
      { values: [65_536 - 215, ...float] },
      { values: float.toReversed() },
      { values: [1006] },
      { values: [true, false, false, true] },
    ]);
  } finally {
    assert.deepEqual(await server.kill(), { code: null, signal: "SIGKILL" });
  }
});

test("needs() skips with what to install, and fails under PENSTOCK_REQUIRE_ALL", () => {
  const code = `import { needs } from ${JSON.stringify(join(import.meta.dirname, "../needs.ts"))};
    process.stdout.write(JSON.stringify(needs("mbpoll")));`;
  const play = (require: string) =>
    spawnSync(process.execPath, ["--input-type=module-typescript", "-e", code], {
      env: { PATH: "/nowhere", PENSTOCK_REQUIRE_ALL: require },
      encoding: "utf8",
    });
  assert.deepEqual(JSON.parse(play("0").stdout), { skip: "needs mbpoll: apt-get install mbpoll" });
  const required = play("1");
  assert.equal(required.status, 1);
  assert.match(required.stderr, /A test needs mbpoll: apt-get install mbpoll/);
});
