import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { conveyorLimits, flagWord, type Line, lineFlags, startLine, stepLine } from "./line.ts";
import { tankLimits, temperatureC } from "./tank.ts";

const scenario = fc.record({
  seed: fc.nat(),
  moves: fc.array(
    fc.record({
      speed: fc.double({ min: 0, max: 100, noNaN: true }),
      setpoint: fc.double({ min: 5, max: 80, noNaN: true }),
      isEnabled: fc.boolean(),
      steps: fc.integer({ min: 1, max: 3000 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function play({ seed, moves }: Scenario, each: (result: ReturnType<typeof stepLine>, before: Line) => void): Line {
  let line = startLine(seed);
  for (const { speed, setpoint, isEnabled, steps } of moves) {
    line = {
      ...line,
      conveyor: { ...line.conveyor, setpoint: speed, isEnabled },
      tank: { ...line.tank, setpointC: setpoint },
    };
    for (let i = 0; i < steps; i++) {
      const result = stepLine(line, 0.2);
      each(result, line);
      line = result.line;
    }
  }
  return line;
}

test("stepLine() neither makes nor loses water or heat", () => {
  fc.assert(
    fc.property(scenario, (moves) => {
      const start = startLine(moves.seed).tank;
      let water = start.volumeM3;
      let heat = start.heatJ;
      const { tank } = play(moves, ({ flows }) => {
        water += flows.inM3 - flows.outM3;
        heat += flows.heaterJ + flows.inJ - flows.outJ - flows.lossJ;
      });
      assert.ok(Math.abs(tank.volumeM3 - water) < 1e-9);
      assert.ok(Math.abs(tank.heatJ - heat) < 1);
    }),
    { numRuns: 30 },
  );
});

test("stepLine() stays inside the tank, the drive's limits and what water can be", () => {
  fc.assert(
    fc.property(scenario, (moves) => {
      play(moves, ({ line }, before) => {
        assert.ok(line.tank.volumeM3 >= tankLimits.dryM3 && line.tank.volumeM3 <= tankLimits.capacityM3);
        const temperature = temperatureC(line.tank);
        assert.ok(temperature > 0 && temperature < 100, `${temperature} °C`);
        assert.ok(line.conveyor.speed >= conveyorLimits.minimum && line.conveyor.speed <= conveyorLimits.maximum);
        assert.ok(line.filler.total >= before.filler.total && line.filler.rejects <= line.filler.bottles);
        assert.equal((flagWord(line) & lineFlags.heaterOn) !== 0, line.tank.isHeaterOn);
      });
    }),
    { numRuns: 30 },
  );
});

test("stepLine() gives the drive its inertia: 63 % of a change after two seconds, whatever the step", () => {
  for (const seconds of [0.05, 0.5]) {
    let line = startLine(1);
    line = { ...line, conveyor: { setpoint: 100, speed: 0, isEnabled: true } };
    for (let t = 0; t < 2 / seconds; t++) line = stepLine(line, seconds).line;
    assert.ok(Math.abs(line.conveyor.speed - 63.2) < 0.1, `${line.conveyor.speed}`);
  }
});

test("stepLine() cycles heater and valve over an hour, and counts what the speed says", () => {
  let line = startLine(7);
  let heaterSwitches = 0;
  let valveSwitches = 0;
  for (let i = 0; i < 3600 * 5; i++) {
    const next = stepLine(line, 0.2).line;
    if (next.tank.isHeaterOn !== line.tank.isHeaterOn) heaterSwitches++;
    if (next.tank.isValveOpen !== line.tank.isValveOpen) valveSwitches++;
    line = next;
  }
  assert.ok(heaterSwitches >= 2 && heaterSwitches < 100, `heater switched ${heaterSwitches} times`);
  assert.ok(valveSwitches >= 2 && valveSwitches < 100, `valve switched ${valveSwitches} times`);
  // 60 of 100 m/min at 5 bottles a second is 3 bottles a second.
  assert.ok(Math.abs(line.filler.bottles - 10_800) <= 1, `${line.filler.bottles} bottles`);
  assert.ok(line.filler.rejects > 150 && line.filler.rejects < 300, `${line.filler.rejects} rejects`);
});
