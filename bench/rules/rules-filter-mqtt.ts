import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EffectiveRule, RuleUid } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { freePort } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { createRules } from "../../packages/edge/src/rules/rules.ts";
import { openSources } from "../../packages/edge/src/rules/sources/open-source.ts";
import { type Bench, row } from "../bench.ts";
import { ekuiperRate } from "./ekuiper-rate.ts";
import { benchHost } from "./rules-fixture.ts";

const mosquitto = "/usr/sbin/mosquitto";
const topic = "bench/demo";
const bound = 50;
const sql = `SELECT temperature FROM demo WHERE temperature > ${bound}`;

/** What one subscriber did with a burst of messages. */
interface Taken {
  readonly perSecond: number;
  /** messages for each second of processor time of this process */
  readonly perProcessorSecond: number;
}

export const rulesFilterMqtt: Bench = {
  name: "rules-filter-mqtt",
  async *run({ smoke, folder }) {
    const count = smoke ? 2000 : 200_000;
    const names = { bench: "rules-filter-mqtt", unit: "messages/s" } as const;
    if (!existsSync(mosquitto)) {
      const none = { value: null, baseline: "bare subscriber", baselineValue: null };
      yield row({ ...names, metric: "messages", ...none, skipped: "mosquitto is missing: apt-get install mosquitto" });
      return;
    }
    const port = await freePort();
    const broker = await startBroker(folder, port);
    try {
      const url = `mqtt://127.0.0.1:${port}`;
      const bare: Taken[] = [];
      const ours: Taken[] = [];
      // In turns, and the best of each: both have the same machine.
      for (let round = 0; round < (smoke ? 1 : 3); round++) {
        bare.push(await bareSubscriber(url, count));
        ours.push(await rule(url, count, folder));
      }
      const best = (of: readonly Taken[], what: keyof Taken) => Math.max(...of.map((one) => one[what]));
      for (const [metric, what] of [
        ["messages", "perSecond"],
        ["messages-per-processor-second", "perProcessorSecond"],
      ] as const) {
        const baselineValue = best(bare, what);
        yield row({ ...names, metric, value: best(ours, what), baseline: "bare subscriber", baselineValue });
      }
      const peer = { sql, topic, url, count, publish: () => publish(url, count) };
      const against = {
        ...names,
        metric: "messages-against-ekuiper",
        value: best(ours, "perSecond"),
        baseline: "eKuiper",
      };
      const ekuiper = process.env.EKUIPER_URL;
      yield ekuiper === undefined
        ? row({ ...against, baselineValue: null, skipped: "not measured: EKUIPER_URL is not set" })
        : row({ ...against, baselineValue: await ekuiperRate(ekuiper, peer) });
    } finally {
      broker.kill();
    }
  },
};

/** Parses each message and counts those that pass. */
async function bareSubscriber(url: string, count: number): Promise<Taken> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  let seen = 0;
  let kept = 0;
  const measured = meter(count);
  client.on("message", (_topic, payload) => {
    const { temperature } = JSON.parse(payload.toString()) as { temperature: number };
    if (temperature > bound) kept++;
    measured.tell(++seen);
  });
  await client.subscribeAsync(topic, { qos: 0 });
  await publish(url, count);
  const taken = await measured.done;
  await client.endAsync(true);
  if (kept === 0) throw new Error("The subscriber kept nothing");
  return taken;
}

/** The rules stage with a source and one rule. */
async function rule(url: string, count: number, folder: string): Promise<Taken> {
  const metrics = metricsRegistry();
  const clock = systemClock();
  const parts = { clock, log: silentLog, metrics, random: systemRandom, files: realFiles(), folder };
  const nobody = () => Promise.reject(new Error("Nothing is written"));
  const measured = meter(count);
  const open = openSources({ ...parts, node: "bench", listen: () => ({ close: async () => {} }) });
  const rules = createRules({
    ...{ ...parts, host: benchHost, offsetAt: () => () => 0 },
    openSource: (spec, take) => {
      let seen = 0;
      return open(spec, (content, meta) => {
        const taking = take(content, meta);
        measured.tell(++seen);
        return taking;
      });
    },
    site: {
      async publish() {},
      async readings() {},
      twin: { setLocally: nobody, callHere: nobody },
    },
  });
  const spec: EffectiveRule = {
    ...{ uid: "bench" as RuleUid, name: "bench", generation: 1, mode: "strict", isStopped: false, eventTime: null },
    ...{ sql, sources: { demo: { mqtt: { topic, broker: { url } } } }, actions: [{ memory: { stream: "kept" } }] },
  };
  rules.apply({ tenant: "bench", timeZone: "UTC", devices: [], rules: [spec] });
  await subscribed(url);
  await publish(url, count);
  const taken = await measured.done;
  const kept = rules.status()[0]?.rowsOut ?? 0;
  await rules.close();
  if (kept === 0) throw new Error("The rule kept nothing");
  return taken;
}

/** Counts from the first message to the last. */
function meter(count: number) {
  let began = 0;
  let processor = process.cpuUsage();
  let resolve: (taken: Taken) => void;
  const done = new Promise<Taken>((settle) => {
    resolve = settle;
  });
  return {
    done,
    tell(seen: number) {
      if (seen === 1) [began, processor] = [performance.now(), process.cpuUsage()];
      if (seen !== count) return;
      const { user, system } = process.cpuUsage(processor);
      resolve({
        perSecond: (count / (performance.now() - began)) * 1000,
        perProcessorSecond: (count / (user + system)) * 1e6,
      });
    },
  };
}

/** In a process of its own, so that its work is not counted. */
async function publish(url: string, count: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "publish-messages.ts"), url, topic, String(count)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`The publisher ended with ${code}`);
}

/** The broker tells under $SYS how many subscriptions there are. */
async function subscribed(url: string): Promise<void> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  const found = new Promise<void>((resolve) => {
    client.on("message", (_topic, payload) => {
      if (Number(payload.toString()) >= 2) resolve();
    });
  });
  await client.subscribeAsync("$SYS/broker/subscriptions/count");
  await found;
  await client.endAsync(true);
}

async function startBroker(folder: string, port: number): Promise<ChildProcess> {
  // No message is dropped for a slow subscriber.
  const settings = [
    ...[`listener ${port} 127.0.0.1`, "allow_anonymous true", "sys_interval 1"],
    ...["max_queued_messages 0", "max_inflight_messages 0", "set_tcp_nodelay true"],
  ];
  const path = join(folder, "mosquitto.conf");
  writeFileSync(path, `${settings.join("\n")}\n`);
  const child = spawn(mosquitto, ["-c", path], { stdio: "ignore" });
  for (;;) {
    try {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
      await client.endAsync();
      return child;
    } catch (error) {
      if (child.exitCode !== null) throw error;
    }
  }
}
