import {
  AppError,
  batchFromSamples,
  type EffectiveDevice,
  type Layout,
  layoutOrder,
  type Micros,
  type Sample,
} from "@penstock/model";
import { Instant, type ObjectValue, type Value } from "@penstock/rules";
import { deviceNamed } from "./find-device.ts";
import { eachRow } from "./in-turn.ts";
import { propertyValue } from "./property-value.ts";
import type { OpenSink } from "./sink-parts.ts";
import { filled } from "./template.ts";

/**
 * Columns as readings of calculated properties: they go onto the bus and from there the way of all readings. A value that
 * the property's type cannot hold is a reading without value, bad, with its reason.
 */
export const openSeries: OpenSink<"series"> = ({ device: template, properties, time }, parts) => {
  const { site } = parts;
  const layouts = new WeakMap<EffectiveDevice, Map<string, Layout>>();
  return eachRow(parts, async (row, output) => {
    const device = deviceNamed(site, filled(template, row));
    const at = time === undefined ? output.time : momentOf(row, time);
    const names = properties ?? Object.fromEntries(Object.keys(row).map((column) => [column, column]));
    const samples = Object.entries(names).flatMap(([column, name]): Sample[] =>
      column === time || !Object.hasOwn(row, column) ? [] : [sampleOf(device, name, { value: row[column]!, at })],
    );
    if (samples.length === 0) return;
    await site.readings(batchFromSamples({ layout: layoutOf(device, samples), samples }).batch);
  });

  /** One for each set of columns: a layout that is the same object costs its consumers nothing. */
  function layoutOf(device: EffectiveDevice, samples: readonly Sample[]): Layout {
    const known = layouts.get(device) ?? new Map<string, Layout>();
    layouts.set(device, known);
    const names = new Set(samples.map(({ property }) => property));
    const key = [...names].join();
    let layout = known.get(key);
    if (layout === undefined) {
      const chosen = device.properties.filter(({ name }) => names.has(name)).map(({ name, type }) => ({ name, type }));
      layout = { id: 0, device: device.uid, properties: layoutOrder(chosen) };
      known.set(key, layout);
    }
    return layout;
  }
};

function sampleOf(device: EffectiveDevice, name: string, given: { value: Value; at: Micros }): Sample {
  const property = device.properties.find((one) => one.name === name);
  if (property?.isCalculated !== true) {
    const what = property === undefined ? `has no property "${name}"` : `collects "${name}": it is not calculated`;
    throw new AppError("rules/action-failed", `Cannot put a reading into the series: device "${device.name}" ${what}`);
  }
  const value = propertyValue(property.type, given.value);
  const base = { property: name, time: given.at };
  if (value === undefined) return { ...base, value: null, quality: "bad", reason: "twin/wrong-type" };
  if (value === null) return { ...base, value: null, quality: "bad", reason: "rules/no-value" };
  return { ...base, value, quality: "good", reason: null };
}

function momentOf(row: ObjectValue, column: string): Micros {
  const value = row[column];
  if (value instanceof Instant) return value.micros as Micros;
  const ms = typeof value === "bigint" || typeof value === "number" ? Number(value) : Number.NaN;
  const micros = Math.round(ms * 1000);
  if (Number.isSafeInteger(micros)) return micros as Micros;
  throw new AppError("rules/action-failed", `Cannot put a reading into the series: column "${column}" is no time`);
}
