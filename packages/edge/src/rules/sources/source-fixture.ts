import type { ListenAtBroker, Micros } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { type Clock, type Files, metricsRegistry, realFiles, silentLog, systemClock } from "@penstock/runtime";
import { SimRandom } from "@penstock/testkit";
import { openSources } from "./open-source.ts";

/** Sources of a test, and the rows they brought. */
export function testSources(given: { clock?: Clock; files?: Files; folder?: string; listen?: ListenAtBroker } = {}) {
  const metrics = metricsRegistry();
  const rows: ObjectValue[] = [];
  const metas: ObjectValue[] = [];
  const open = openSources({
    clock: given.clock ?? systemClock({ floor: 0 as Micros }),
    random: new SimRandom(1),
    files: given.files ?? realFiles(),
    ...{ folder: given.folder ?? "/data/rules", node: "n1", log: silentLog, metrics },
    listen: given.listen ?? (() => ({ close: async () => {} })),
  });
  const take = (content: ObjectValue, meta: ObjectValue) => {
    rows.push(content);
    metas.push(meta);
  };
  const counted = (name: string) => metrics.totals()[`penstock_rules_source_${name}_total`] ?? 0;
  const until = async (count: number) => {
    while (rows.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { open, take, rows, metas, counted, until };
}
