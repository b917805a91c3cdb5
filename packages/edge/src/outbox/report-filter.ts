import {
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveProperty,
  LastMinute,
  type Layout,
  type ReadingBatch,
  sameData,
} from "@penstock/model";
import type { Metrics } from "@penstock/runtime";
import { type Cell, isReported, type LastReport } from "./is-reported.ts";
import { ReportPeriods } from "./report-periods.ts";
import { ranksOf, takeRows } from "./take-rows.ts";

export interface ReportFilter {
  /** what of a batch goes to the cloud: the batch itself when that is all of it, null when nothing */
  choose(batch: ReadingBatch): ReadingBatch | null;
  /** the outbox did not take it: what stands in it counts as never reported, so the next reading is */
  refused(batch: ReadingBatch): void;
  /** mean time between reports of this layout in the last minute; null = there were not two */
  reportMs(layout: Layout): number | null;
  /** forgets devices that are gone; other changes it sees by itself, and what did not change goes on */
  devicesChanged(): void;
}
export interface ReportFilterOptions {
  readonly lookup: (device: DeviceUid) => EffectiveDevice | null;
  /** of the node, IANA */
  readonly timeZone: () => string;
  readonly clock: { monotonic(): number };
  readonly metrics: Metrics;
}

/** One property under a policy that is not "every reading". */
interface Kept {
  readonly property: EffectiveProperty;
  readonly timeZone: string;
  last: LastReport | null;
  /** where its periods in steps begin */
  origin: number | null;
}
/** How the rows of one layout are judged: "all" go, "none" goes, or by what is kept of them. */
interface Plan {
  readonly device: EffectiveDevice | null;
  readonly timeZone: string;
  /** a position of the layout each; null = every row goes */
  readonly rules: readonly ("all" | "none" | Kept)[] | null;
  readonly ranks: Uint8Array;
  readonly minute: LastMinute;
  lastAt: number | null;
}

/**
 * Between bus and outbox: what of the readings goes to the cloud, property by property. Bypass, twin and rules stand beside
 * it and see every reading. What is withheld is no loss, and counted. State lives in memory: after a start the first
 * reading of each property is reported. A layout whose properties all report everything costs two look-ups a batch.
 *
 * Steps and heartbeats are counted on the monotonic clock as a reading passes. A period in steps begins half a collect
 * cycle before the first report, so that a reading that comes a little early or late is still in its own period. Times of
 * day go by the reading's wall time, and wait while that is uncertain.
 */
export function reportFilter(options: ReportFilterOptions): ReportFilter {
  const { lookup, timeZone, clock } = options;
  const withheld = options.metrics.counter(
    "penstock_outbox_withheld_total",
    "Readings that their report policy kept at the gateway",
  );
  const plans = new WeakMap<Layout, Plan>();
  const kept = new Map<DeviceUid, Map<string, Kept>>();
  const periods = new ReportPeriods();
  let keep = new Uint8Array(64);

  const ruleOf = (device: EffectiveDevice, property: EffectiveProperty): "all" | "none" | Kept => {
    const { report } = property;
    if (!report.toCloud) return "none";
    if (report.cadence === null && report.deadband === null) return "all";
    const ofDevice = kept.get(device.uid) ?? new Map<string, Kept>();
    kept.set(device.uid, ofDevice);
    const known = ofDevice.get(property.name);
    if (known !== undefined && isSamePolicy(known, property, timeZone())) return known;
    const fresh: Kept = { property, timeZone: timeZone(), last: null, origin: null };
    ofDevice.set(property.name, fresh);
    return fresh;
  };
  const planOf = (batch: ReadingBatch): Plan => {
    const { layout } = batch;
    const device = lookup(layout.device);
    const known = plans.get(layout);
    if (known !== undefined && known.device === device && known.timeZone === timeZone()) return known;
    const byName = new Map(device?.properties.map((property) => [property.name, property]));
    // A property that nobody describes was made by a rule, or is older than the device's last edit.
    const rules = layout.properties.map(({ name, type }) => {
      const property = byName.get(name);
      return device === null || property === undefined || property.type !== type ? "all" : ruleOf(device, property);
    });
    const plan: Plan = {
      ...{ device, timeZone: timeZone() },
      rules: rules.every((rule) => rule === "all") ? null : rules,
      ranks: ranksOf(batch),
      minute: known?.minute ?? new LastMinute(),
      lastAt: known?.lastAt ?? null,
    };
    plans.set(layout, plan);
    return plan;
  };
  const periodOf = (rule: Kept, batch: ReadingBatch, at: number): number => {
    const { report, collect } = rule.property;
    if (report.cadence === null) return 0;
    if ("atSeconds" in report.cadence) {
      return periods.numberOf(report.cadence.atSeconds, rule.timeZone, batch.clock === null ? batch.baseTime : null);
    }
    const collectMs = collect !== null && "everyMs" in collect ? collect.everyMs : 0;
    rule.origin ??= at - collectMs * 500;
    return Math.floor((at - rule.origin) / (report.cadence.everyMs * 1000));
  };
  /** fills `keep`; how many rows go */
  const judge = (batch: ReadingBatch, { rules, ranks }: Plan, at: number): number => {
    if (keep.length < batch.count) keep = new Uint8Array(batch.count);
    const places = new Uint16Array(batch.columns.length);
    let count = 0;
    for (let row = 0; row < batch.count; row++) {
      const slot = batch.index?.[row] ?? row;
      const rank = ranks[slot]!;
      const place = places[rank]!;
      places[rank] = place + 1;
      const rule = rules![slot]!;
      keep[row] = 0;
      if (rule === "none") continue;
      if (rule !== "all") {
        const { type, report } = rule.property;
        const cell = batch.columns[rank]![place] as Cell;
        const reading = {
          // A copy: the cell may be a piece of a large message.
          cell: cell instanceof Uint8Array ? cell.slice() : cell,
          flag: batch.flags?.[row] ?? 0,
          reason: batch.reasons[(batch.reasonIndex?.[row] ?? 0) - 1] ?? null,
        };
        const now = { at, period: periodOf(rule, batch, at) };
        if (!isReported({ type, policy: report, last: rule.last, reading, now })) continue;
        rule.last = { ...reading, ...now };
      }
      keep[row] = 1;
      count++;
    }
    return count;
  };
  return {
    choose(batch) {
      const plan = planOf(batch);
      const at = clock.monotonic();
      const count = plan.rules === null ? batch.count : judge(batch, plan, at);
      if (count < batch.count) withheld.add(batch.count - count);
      if (count === 0) return null;
      if (plan.lastAt !== null) plan.minute.add(at, at - plan.lastAt);
      plan.lastAt = at;
      return count === batch.count ? batch : takeRows(batch, keep, count);
    },
    refused(batch) {
      const rules = plans.get(batch.layout)?.rules;
      if (rules === null || rules === undefined) return;
      for (let row = 0; row < batch.count; row++) {
        const rule = rules[batch.index?.[row] ?? row];
        if (typeof rule === "object") rule.last = null;
      }
    },
    reportMs(layout) {
      const summary = plans.get(layout)?.minute.summary(clock.monotonic());
      return summary === null || summary === undefined ? null : summary.sum / summary.count / 1000;
    },
    devicesChanged() {
      for (const device of kept.keys()) if (lookup(device) === null) kept.delete(device);
    },
  };
}

function isSamePolicy(known: Kept, { type, report, collect }: EffectiveProperty, timeZone: string): boolean {
  const before = known.property;
  return known.timeZone === timeZone && sameData([before.type, before.report, before.collect], [type, report, collect]);
}
