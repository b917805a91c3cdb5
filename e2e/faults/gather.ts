import type { Client } from "@penstock/api";
import { parseMicros } from "@penstock/model";
import { setpointDevice, setpointNames } from "./devices.ts";
import { type DesiredFact, factValue, type Place } from "./facts.ts";
import { type Rig, tenant } from "./rig.ts";
import type { Setpoints } from "./setpoints.ts";
import { until } from "./until.ts";

/** What the API says at the end, as any program would hear it. */
export interface Told {
  readonly readBack: Map<string, Place[]>;
  readonly last: Map<string, Place | null>;
}

/** Questions asked at once; the answers are small. */
const atOnce = 8;

/** Reads back every series and every last value of every device. */
export async function askApi(client: Client, span: { readonly from: string; readonly to: string }): Promise<Told> {
  const readBack = new Map<string, Place[]>();
  const last = new Map<string, Place | null>();
  const { items: devices } = await client.devices.list({ params: { tenant } });
  const questions: (() => Promise<void>)[] = [];
  for (const { metadata } of devices) {
    const twin = await client.twins.get({ params: { tenant, device: metadata.name } });
    for (const { property, reported } of twin.properties) {
      const series = `${metadata.uid}/${property}`;
      last.set(series, reported === null ? null : placeOf(reported));
      questions.push(async () => {
        const params = { tenant, device: metadata.name, property };
        const query = { ...span, points: 10_000, aggregate: "raw" } as const;
        const { points } = await client.series.query({ params, query });
        readBack.set(series, points.map(placeOf));
      });
    }
  }
  let next = 0;
  const ask = async () => {
    while (next < questions.length) await questions[next++]!();
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return { readBack, last };
}

function placeOf(point: { readonly time: string; readonly value: unknown; readonly quality: string }): Place {
  return { time: parseMicros(point.time)!, value: factValue(point.value, point.quality) };
}

/** Waits until each set-point has come to its end, and tells how it ended. */
export async function desiredFacts(options: {
  readonly rig: Rig;
  readonly setpoints: Setpoints;
  readonly withinMs: number;
}): Promise<DesiredFact[]> {
  const { rig, setpoints, withinMs } = options;
  const facts: DesiredFact[] = [];
  for (const [i, property] of setpointNames.entries()) {
    const set = setpoints.last(property);
    if (set === null) continue;
    const read = () => rig.client.twins.getDesired({ params: { tenant, device: setpointDevice, property } });
    await until(async () => ((await read()).state === "confirmed" ? true : null), withinMs);
    const { version, state } = await read();
    const atDevice = (await rig.report()).setpoints[i]!;
    facts.push({ property, ...set, state: { version, state }, atDevice });
  }
  return facts;
}
