/**
 * A heated water tank: cold water comes in through a valve, the filler draws from the bottom. Volume and heat are the
 * state, level and temperature follow from them, so that what flows in is exactly what is stored or has left.
 */
export interface Tank {
  readonly volumeM3: number;
  /** heat above 0 °C, in joules */
  readonly heatJ: number;
  readonly isValveOpen: boolean;
  readonly isHeaterOn: boolean;
  readonly setpointC: number;
}

/** What crossed the tank's walls in one step; the balance test adds them up. */
export interface TankFlows {
  readonly inM3: number;
  readonly outM3: number;
  readonly heaterJ: number;
  readonly lossJ: number;
  readonly inJ: number;
  readonly outJ: number;
}

export const tankLimits = {
  capacityM3: 2,
  /** the pump runs dry below this */
  dryM3: 0.05,
  lowM3: 0.3,
  highM3: 1.8,
  minimumSetpointC: 5,
  maximumSetpointC: 80,
} as const;

const areaM2 = 1;
const openBelowM3 = 0.8;
const closeAboveM3 = 1.6;
const inflowM3PerSecond = 0.004;
const inflowC = 12;
const ambientC = 20;
const lossWPerK = 60;
const heaterW = 350_000;
const hysteresisK = 1;
/** water near 35 °C: 4.18 kJ/(kg K) and 994 kg/m3 */
const heatPerM3K = 4180 * 994;

export const startTank: Tank = {
  volumeM3: 1.2,
  heatJ: 1.2 * heatPerM3K * 34,
  isValveOpen: false,
  isHeaterOn: false,
  setpointC: 35,
};

export function levelM(tank: Tank): number {
  return tank.volumeM3 / areaM2;
}

export function temperatureC(tank: Tank): number {
  return tank.heatJ / (tank.volumeM3 * heatPerM3K);
}

/** @param options.demandM3PerSecond what the filler would draw if there is enough */
export function stepTank(
  tank: Tank,
  options: { readonly seconds: number; readonly demandM3PerSecond: number },
): { tank: Tank; flows: TankFlows } {
  const { seconds, demandM3PerSecond } = options;
  const before = temperatureC(tank);
  const isValveOpen = tank.isValveOpen ? tank.volumeM3 < closeAboveM3 : tank.volumeM3 < openBelowM3;
  const isHeaterOn =
    tank.volumeM3 > tankLimits.dryM3 * 2 &&
    (tank.isHeaterOn ? before < tank.setpointC + hysteresisK : before < tank.setpointC - hysteresisK);
  const inM3 = isValveOpen ? Math.min(inflowM3PerSecond * seconds, tankLimits.capacityM3 - tank.volumeM3) : 0;
  const outM3 = Math.min(demandM3PerSecond * seconds, Math.max(0, tank.volumeM3 - tankLimits.dryM3));
  const flows: TankFlows = {
    inM3,
    outM3,
    heaterJ: isHeaterOn ? heaterW * seconds : 0,
    lossJ: lossWPerK * (before - ambientC) * seconds,
    inJ: inM3 * heatPerM3K * inflowC,
    outJ: outM3 * heatPerM3K * before,
  };
  return {
    flows,
    tank: {
      volumeM3: tank.volumeM3 + inM3 - outM3,
      heatJ: tank.heatJ + flows.inJ + flows.heaterJ - flows.outJ - flows.lossJ,
      isValveOpen,
      isHeaterOn,
      setpointC: tank.setpointC,
    },
  };
}
