import type { Column, ValueType } from "@penstock/model";
import type { SignalNoise } from "./signal-noise.ts";

/** The kinds of signal in `plantSignals`, with the type each has after scaling. */
export const signalKinds = {
  temperature: "float64",
  pressure: "float64",
  analog: "float32",
  pieces: "uint32",
  energy: "int64",
  setpoint: "float32",
  bit: "bool",
  level: "int16",
} as const satisfies Record<string, ValueType>;
export type SignalKind = keyof typeof signalKinds;

/** Address order of twenty series, repeated: machines' maps mix types, they do not sort them. */
export const signalMix: readonly SignalKind[] = [
  ...(["temperature", "temperature", "pressure", "analog", "bit", "pieces", "setpoint"] as const),
  ...(["temperature", "level", "bit", "analog", "energy", "temperature", "pressure"] as const),
  ...(["bit", "pieces", "analog", "level", "temperature", "setpoint"] as const),
];

/** Writes the signal's next value at a place of its type's column. */
export type Signal = (column: Column, at: number) => void;

/** The casts below follow from `signalKinds`: a signal is only ever handed its own type's column. */
export function makeSignal(kind: SignalKind, noise: SignalNoise): Signal {
  switch (kind) {
    case "temperature": {
      // 15..95 Cel; drifts by 0.03 a tick, returns in about half an hour; the sensor adds 0.04; the register has tenths.
      const home = 15 + noise.below(800) / 10;
      let x = home;
      return (column, at) => {
        x += (home - x) * 0.0005 + noise.normal() * 0.03;
        (column as Float64Array)[at] = Math.round((x + noise.normal() * 0.04) * 10) / 10;
      };
    }
    case "pressure": {
      // 1..11 bar; drifts by 0.004 a tick; the sensor adds 0.012; the register has hundredths.
      const home = 1 + noise.below(1000) / 100;
      let x = home;
      return (column, at) => {
        x += (home - x) * 0.002 + noise.normal() * 0.004;
        (column as Float64Array)[at] = Math.round((x + noise.normal() * 0.012) * 100) / 100;
      };
    }
    case "analog": {
      // A flow or current straight from an analog input: a slow wave of 10 % with 0.5 % of noise, never rounded.
      const home = 10 + noise.below(990);
      const speed = 0.001 + noise.below(100) / 10_000;
      let phase = noise.below(6283) / 1000;
      return (column, at) => {
        phase += speed;
        (column as Float32Array)[at] = home * (1 + 0.1 * Math.sin(phase) + 0.005 * noise.normal());
      };
    }
    case "pieces": {
      // 0.2 to 4 pieces a tick, evenly spaced by the machine and therefore almost regular; stops for a while at times.
      const rate = 0.2 + noise.below(380) / 100;
      let total = noise.below(60_000) * 50;
      let isRunning = true;
      return (column, at) => {
        if (noise.chance(isRunning ? 1 / 600 : 1 / 60)) isRunning = !isRunning;
        if (isRunning) total += rate * (1 + 0.05 * noise.normal());
        (column as Uint32Array)[at] = total;
      };
    }
    case "energy": {
      // Watt-hours of a meter that has counted for years: beyond 32 bits, 20 to 60 a tick, with 10 % of noise.
      const rate = 20 + noise.below(40);
      let total = 5e9 + noise.below(60_000) * 100_000;
      return (column, at) => {
        total += rate * (1 + 0.1 * noise.normal());
        (column as BigInt64Array)[at] = BigInt(Math.floor(total));
      };
    }
    case "setpoint": {
      // In halves, changed by a person about once in 5,000 ticks.
      let x = noise.below(200) / 2;
      return (column, at) => {
        if (noise.chance(1 / 5000)) x = noise.below(200) / 2;
        (column as Float32Array)[at] = x;
      };
    }
    case "bit": {
      let x = noise.below(2);
      return (column, at) => {
        if (noise.chance(1 / 200)) x = 1 - x;
        (column as Uint8Array)[at] = x;
      };
    }
    case "level": {
      // 0..10000 hundredths of a per cent: fills and empties in about an hour, waves of 0.03 % on top.
      let x = 1000 + noise.below(8000);
      let flow = 3;
      return (column, at) => {
        x += flow;
        if (x > 9500) flow = -2 - noise.below(3);
        if (x < 500) flow = 2 + noise.below(3);
        (column as Int16Array)[at] = Math.round(x + noise.normal() * 3);
      };
    }
  }
}
