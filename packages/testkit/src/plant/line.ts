import { levelM, startTank, stepTank, type Tank, type TankFlows, tankLimits, temperatureC } from "./tank.ts";

/** The whole bottling line. Pure data: the same state, seed and inputs give the same next state. */
export interface Line {
  readonly tank: Tank;
  readonly conveyor: Conveyor;
  readonly filler: Filler;
}
export interface Conveyor {
  /** m/min, 0..100; what an operator asks for */
  readonly setpoint: number;
  /** m/min; follows with the drive's inertia */
  readonly speed: number;
  readonly isEnabled: boolean;
}
export interface Filler {
  /** of this shift, unsigned 32 bits, wraps like the counter of a real controller */
  readonly bottles: number;
  readonly rejects: number;
  /** since the machine was built, beyond 32 bits from the start */
  readonly total: bigint;
  /** share of the bottle under the nozzle, 0..1 */
  readonly progress: number;
  readonly random: number;
}

export const conveyorLimits = { minimum: 0, maximum: 100 } as const;
const driveSeconds = 2;
const bottlesPerSecondAtFullSpeed = 5;
const bottleM3 = 0.0005;
const rejectShare = 0.02;

export function startLine(seed: number): Line {
  return {
    tank: startTank,
    conveyor: { setpoint: 60, speed: 60, isEnabled: true },
    filler: { bottles: 0, rejects: 0, total: 12_884_901_888n, progress: 0, random: seed >>> 0 },
  };
}

export const lineFlags = { running: 1, alarm: 2, levelLow: 4, levelHigh: 8, heaterOn: 16 } as const;

/** The flag word as the controller shows it: bits of `lineFlags`. */
export function flagWord(line: Line): number {
  const level = line.tank.volumeM3;
  const isLow = level < tankLimits.lowM3;
  const isHigh = level > tankLimits.highM3;
  const isTooHot = temperatureC(line.tank) > tankLimits.maximumSetpointC + 5;
  return (
    (line.conveyor.speed > 0.5 ? lineFlags.running : 0) |
    (isLow || isHigh || isTooHot ? lineFlags.alarm : 0) |
    (isLow ? lineFlags.levelLow : 0) |
    (isHigh ? lineFlags.levelHigh : 0) |
    (line.tank.isHeaterOn ? lineFlags.heaterOn : 0)
  );
}

export function bottlesPerSecond(line: Line): number {
  const isDry = levelM(line.tank) <= tankLimits.dryM3 * 1.5;
  return isDry ? 0 : (line.conveyor.speed / conveyorLimits.maximum) * bottlesPerSecondAtFullSpeed;
}

/** @param seconds small against the drive's two seconds; `PlantClockwork` uses 0.05 */
export function stepLine(line: Line, seconds: number): { line: Line; flows: TankFlows } {
  const rate = bottlesPerSecond(line);
  const { tank, flows } = stepTank(line.tank, { seconds, demandM3PerSecond: rate * bottleM3 });
  // Exact solution of a first-order lag, so that the step's length does not change the curve.
  const target = line.conveyor.isEnabled ? line.conveyor.setpoint : 0;
  const speed = target + (line.conveyor.speed - target) * Math.exp(-seconds / driveSeconds);
  return { flows, line: { tank, conveyor: { ...line.conveyor, speed }, filler: fill(line.filler, rate * seconds) } };
}

function fill(filler: Filler, share: number): Filler {
  const progress = filler.progress + share;
  if (progress < 1) return { ...filler, progress };
  const done = Math.floor(progress);
  let { random, rejects } = filler;
  for (let i = 0; i < done; i++) {
    random = nextRandom(random);
    if (random / 2 ** 32 < rejectShare) rejects = (rejects + 1) >>> 0;
  }
  const bottles = (filler.bottles + done) >>> 0;
  return { bottles, rejects, total: filler.total + BigInt(done), progress: progress - done, random };
}

/** @source Numerical Recipes, 3rd edition, 7.1.7: 32-bit linear congruential step */
function nextRandom(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
}
