import {
  askHost,
  type Clock,
  type Files,
  hostFunctions,
  lowerThreadPriority,
  offsetAtOf,
  openWitness,
  pinoLog,
  postEvent,
  realFiles,
  serveWorker,
  syncWitness,
  systemClock,
  systemRandom,
} from "@penstock/runtime";
import { gatewayClock } from "./gateway-clock.ts";
import { keptFeed } from "./rules/kept-feed.ts";
import { createRules } from "./rules/rules.ts";
import { openSources } from "./rules/sources/open-source.ts";
import { BatchUnpacker } from "./rules/thread/batch-packs.ts";
import { FarSite } from "./rules/thread/far-site.ts";
import { markOf, pulseAt } from "./rules/thread/pulse.ts";
import type { ThreadEvent, ThreadMethods, ThreadStart } from "./rules/thread/thread-contract.ts";
import { ToldMetrics } from "./rules/thread/told-metrics.ts";

/**
 * The rules stage in a thread of its own: however long rules take and however much they remember, collecting has its turns,
 * and where they use up what they have, only they end.
 */
let close: () => Promise<void> = async () => {};
serveWorker<ThreadStart>({ open, close: () => close() });

async function open(start: ThreadStart): Promise<ThreadMethods> {
  lowerThreadPriority();
  const tell = (event: ThreadEvent) => postEvent(event);
  const clock = gatewayClock({ system: systemClock({ floor: start.floor }), boot: start.boot });
  if (start.offset !== null) clock.learn({ offset: start.offset });
  const witness = start.syncWitnessPath === null ? null : openWitness(start.syncWitnessPath);
  const files = realFiles(witness === null ? {} : { witness: syncWitness(witness) });
  const log = pinoLog({ level: start.logLevel, program: "edge" }).with({ stage: "rules" });
  const metrics = new ToldMetrics({ clock, tell: (changes) => tell({ t: "metrics", changes }) });
  const random = systemRandom;
  const { folder } = start;
  const state = `${folder}/state`;
  const pulse = new Int32Array(start.pulse);
  if (start.forgets) await setAside(files, state, `${folder}/state-set-aside`);
  const parts = { clock, random, files, folder, metrics, log };
  // The cast: what a method answers is stated by SiteMethods, which both ends share.
  const site = new FarSite({ metrics, ask: (method, input) => askHost(method, input) as Promise<never> });
  const rules = createRules({
    ...{ ...parts, site, host: hostFunctions(random), offsetAt: offsetAtOf },
    feed: await keptFeed({ ...parts, folder: state }),
    openSource: openSources({ ...parts, node: start.node, listen: site.listen }),
    working(rule) {
      const mark = rule === null ? 0 : markOf(rule);
      Atomics.store(pulse, pulseAt.rule, mark);
      if (mark !== 0) Atomics.store(pulse, pulseAt.last, mark);
    },
  });
  let told = "";
  const stopTelling = everySecond(clock, () => {
    Atomics.add(pulse, pulseAt.beat, 1);
    const status = rules.status();
    const text = JSON.stringify(status);
    if (text === told) return;
    told = text;
    tell({ t: "status", status });
  });
  const unpacker = new BatchUnpacker();
  let next: Pick<Parameters<typeof rules.apply>[0], "devices" | "rules"> = { devices: [], rules: [] };

  let isClosed = false;
  close = async () => {
    isClosed = true;
    await rules.close();
    stopTelling();
    metrics.flush();
  };
  return {
    part({ devices, rules }) {
      next = { devices: [...next.devices, ...devices], rules: [...next.rules, ...rules] };
    },
    async apply(of) {
      const set = { ...of, ...next };
      next = { devices: [], rules: [] };
      await rules.apply(set);
      const reads = set.devices.flatMap(({ uid }) => (rules.reads(uid) ? [uid] : []));
      return { reads, status: rules.status() };
    },
    async take(batches) {
      for (const batch of unpacker.unpack(batches)) if (!isClosed) await rules.consumer.take(batch);
    },
    learn: (time) => clock.learn(time),
    act: (of) => site.act(of),
    news: (of) => site.news(of),
    ended: (of) => site.ended(of),
  };
}

/** In the place of what was set aside before. */
async function setAside(files: Files, folder: string, place: string): Promise<void> {
  if (!(await files.exists(folder))) return;
  if (await files.exists(place)) for (const name of await files.list(place)) await files.remove(`${place}/${name}`);
  await files.rename(folder, place);
}

function everySecond(clock: Clock, run: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    run();
    cancel = clock.after(1000, again);
  };
  again();
  return () => cancel();
}
