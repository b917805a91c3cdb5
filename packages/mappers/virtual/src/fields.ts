import { float, int, oneOf, type Settings, text } from "@penstock/mapper-sdk";
import { type Shape, signals } from "./signal.ts";

export const connectionFields = {
  seed: int({ min: 0, max: 2 ** 32 - 1, default: 1, summary: "Chance is the same for the same seed" }),
  failRate: float({
    min: 0,
    max: 1,
    default: 0,
    summary: "Share of readings and writes that fail, to see bad quality: 0.1 is every tenth",
  }),
  delayMs: int({ min: 0, max: 60_000, default: 0, unit: "ms", summary: "How long each answer takes" }),
};
export const addressFields = {
  station: text({
    optional: true,
    maxLength: 63,
    summary:
      "Devices of one Connection with the same station are one: what one writes, all read; each its own when missing",
  }),
};
export const visitorFields = {
  name: text({
    optional: true,
    maxLength: 63,
    summary: "Place in the device: properties with the same name show the same; the property's own name when missing",
  }),
  signal: oneOf([...signals], {
    optional: true,
    summary:
      "What it shows until it is written; a counter goes on from what was written, the others hold it. When missing: " +
      "a counter where the name is count, else held",
  }),
  start: float({ default: 0, summary: "First value, or the middle of sine and random, or the low end of the others" }),
  step: float({ default: 1, summary: "What a counter adds each period" }),
  amplitude: float({ default: 1, summary: "How far sine and random go to both sides, sawtooth and square upwards" }),
  period: int({
    min: 1,
    max: 86_400_000,
    default: 1000,
    unit: "ms",
    summary: "One wave, one step of a counter, or how long a random value stands",
  }),
};
export const methodFields = {
  act: oneOf(["set", "reset"], {
    summary:
      "set: the argument `value` is written, and what stood there before is the result; reset: as if never written",
  }),
  name: text({ optional: true, maxLength: 63, summary: "Place; for reset all of the device when missing" }),
};

export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
export type Method = Settings<typeof methodFields>;

export function placeName(visitor: Visitor, property: string): string {
  return visitor.name ?? property;
}

export function shapeOf(visitor: Visitor, property: string): Shape {
  const { start, step, amplitude, period: periodMs } = visitor;
  const signal = visitor.signal ?? (placeName(visitor, property) === "count" ? "counter" : "held");
  return { signal, start, step, amplitude, periodMs };
}
