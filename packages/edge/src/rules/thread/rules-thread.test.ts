// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type BootId,
  batchFromSamples,
  type EffectiveRule,
  type LocalEnd,
  type LocalWrite,
  layoutOrder,
  type Micros,
  type NodeUid,
  type TakeNews,
} from "@penstock/model";
import { type Clock, metricsRegistry, realFiles, silentLog, systemClock, workerFile } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { device, rule } from "../rules-fixture.ts";
import type { AlarmPlace } from "../sinks/alarm-sink.ts";
import { markOf } from "./pulse.ts";
import { RulesThread, type RulesThreadOptions } from "./rules-thread.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-rules-thread-"));
const threads: RulesThread[] = [];
after(async () => {
  for (const one of threads) await one.close();
  rmSync(folder, { recursive: true });
});

/** A gateway whose rules have a thread, and what comes of it. */
function gateway(name: string, more: Partial<RulesThreadOptions> & { readonly at?: string } = {}) {
  const clock: Clock = more.clock ?? systemClock();
  const out: unknown[] = [];
  const writes: LocalWrite[] = [];
  const alarms: Parameters<AlarmPlace["sink"]>[0][] = [];
  const alarmRows: unknown[] = [];
  const listeners = new Map<string, TakeNews>();
  const metrics = metricsRegistry();
  let wake = () => {};
  const noted = <T>(list: T[], one: T) => {
    list.push(one);
    wake();
  };
  const rules = new RulesThread({
    ...{ clock, metrics, files: realFiles(), log: silentLog, heapMb: 256 },
    worker: new URL(workerFile(import.meta.url, "../../rules-worker")),
    start: () => ({
      ...{ folder: more.at ?? join(folder, name), node: "n".repeat(32) as NodeUid, boot: "b".repeat(32) as BootId },
      ...{ floor: 0 as Micros, logLevel: "error", syncWitnessPath: null },
    }),
    site: {
      publish: async ({ topic, payload }) => noted(out, [topic, JSON.parse(Buffer.from(payload).toString())]),
      readings: async (batch) => noted(out, batch),
      twin: {
        async setLocally(write) {
          noted(writes, write);
          return { ended: Promise.resolve({ state: "failed", message: "no such machine" } as LocalEnd) };
        },
        callHere: async () => ({ state: "done", reason: null, message: null, type: null, value: null, steps: [] }),
      },
      alarms: {
        sink(of) {
          alarms.push(of);
          return { take: async ({ rows }) => noted(alarmRows, rows), close: async () => {} };
        },
      },
      listen(filter, take) {
        listeners.set(filter, take);
        return { close: async () => void listeners.delete(filter) };
      },
    },
    ...more,
  });
  threads.push(rules);
  return {
    ...{ rules, out, writes, alarms, alarmRows, listeners, metrics },
    apply: (specs: readonly EffectiveRule[]) =>
      rules.apply({ tenant: "acme", timeZone: "UTC", devices: [device("tank-01")], rules: specs }),
    come(level: number) {
      const { uid, properties } = device("tank-01");
      const collected = properties
        .filter(({ name }) => name === "level")
        .map(({ name: of, type }) => ({ name: of, type }));
      const layout = { id: 1, device: uid, properties: layoutOrder(collected) };
      const sample = { property: "level", time: clock.now(), value: level, quality: "good", reason: null } as const;
      return rules.consumer.take(batchFromSamples({ layout, samples: [sample] }).batch);
    },
    /** resolves when `list` is that long */
    async until(list: readonly unknown[], length: number) {
      while (list.length < length)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return list;
    },
    async health(uid: string, isSo: (health: ReturnType<RulesThread["status"]>[number]) => boolean) {
      for (;;) {
        const found = rules.status().find((one) => one.rule === uid);
        if (found !== undefined && isSo(found)) return found;
        await new Promise(setImmediate);
      }
    },
  };
}

test("what comes before the thread is there waits for it; results, status and counts come back", async () => {
  const { apply, come, out, until, health, metrics } = gateway("filter");
  const applied = apply([rule("high", "SELECT level * 2 AS twice FROM `tank-01` WHERE level > 1")]);
  for (const level of [1, 2, 3]) void come(level);
  assert.deepEqual(await until(out, 2), [
    ["high", { twice: 4 }],
    ["high", { twice: 6 }],
  ]);
  await applied;
  const { state, rowsIn } = await health("high", ({ rowsOut }) => rowsOut === 2);
  assert.deepEqual([state, rowsIn], ["running", 3]);
  assert.equal(metrics.totals().penstock_rules_rows_total, 2);
});

test("without rules there is no thread; with the next rule what the rules remembered is there again", async () => {
  const { apply, come, out, until, rules } = gateway("pause");
  await apply([]);
  assert.equal(rules.consumer.take.length, 1);
  const sum = rule("sum", "SELECT count(*) AS n FROM `tank-01` GROUP BY COUNTWINDOW(2)");
  await apply([sum]);
  void come(1);
  void come(2);
  await until(out, 1);
  await apply([]);
  assert.deepEqual([rules.status(), come(3)], [[], undefined]);
  await apply([sum]);
  void come(4);
  void come(5);
  assert.deepEqual(await until(out, 2), [
    ["sum", { n: 2 }],
    ["sum", { n: 2 }],
  ]);
});

test("closed while its thread begins, the stage leaves none", async () => {
  const threads = () => process.getActiveResourcesInfo().filter((kind) => kind === "MessagePort").length;
  const before = threads();
  const { apply, rules } = gateway("closed");
  const applied = apply([rule("any", "SELECT level FROM `tank-01`")]);
  await new Promise(setImmediate);
  await rules.close();
  await applied;
  assert.equal(threads(), before);
});

test("a rule writes to a device, and how that ended stands in its status", async () => {
  const { apply, come, writes, until, health } = gateway("write");
  await apply([
    rule("set", "SELECT level FROM `tank-01`", {
      actions: [{ write: { device: "tank-01", property: "target", value: "${level}" as never } }],
    }),
  ]);
  void come(4.5);
  await until(writes, 1);
  assert.deepEqual([writes[0]!.property, writes[0]!.value, writes[0]!.holder], ["target", 4.5, "rule:set"]);
  const { lastError } = await health("set", ({ errors }) => errors > 0);
  assert.match(lastError!, /ended failed: no such machine/);
});

test("an alarm gets its rows with moments as moments, and what it does to devices comes back to the rule", async () => {
  const { apply, come, writes, alarms, alarmRows, until } = gateway("alarm");
  await apply([
    rule("hot", "SELECT level, cast(1700000000000, 'datetime') AS at FROM `tank-01`", {
      actions: [
        {
          alarm: {
            ...{ name: "hot", severity: "major" },
            onRaise: [{ write: { device: "tank-01", property: "target", value: 0 } }],
          },
        } as never,
      ],
    }),
  ]);
  void come(7);
  await until(alarmRows, 1);
  const [row] = alarmRows[0] as [{ level: number; at: { ms: number } }];
  assert.deepEqual([row.level, row.at.ms], [7, 1_700_000_000_000]);
  alarms[0]!.act("raise", 0, { level: 7 });
  await until(writes, 1);
  assert.equal(writes[0]!.property, "target");
});

test("a rule reads the gateway's broker from its thread; more comes when it has taken that", async () => {
  const { apply, out, until, listeners, health } = gateway("listen");
  await apply([rule("heard", "SELECT a FROM said", { sources: { said: { mqtt: { topic: "plant/#" } } } })]);
  await health("heard", () => listeners.size === 1);
  const payload = Buffer.from('{"a":5}');
  await listeners.get("plant/#")!([{ topic: "plant/x", payload }]);
  assert.deepEqual(await until(out, 1), [["heard", { a: 5 }]]);
  await apply([]);
  assert.equal(listeners.size, 0);
});

test("a rule that uses up the thread's memory ends the thread and is held back; the others go on, until it is another", async () => {
  const { apply, come, out, health, metrics } = gateway("memory", { heapMb: 32 });
  const glutton = rule(
    "glutton",
    "SELECT collect(array_join(repeat('abcdefgh', 30000), 'x')) AS c FROM `tank-01` GROUP BY SLIDINGWINDOW(ss, 3600)",
  );
  await apply([rule("good", "SELECT level FROM `tank-01`"), glutton]);
  for (let at = 0; metrics.totals().penstock_rules_thread_losses_total === undefined; at++) {
    void come(at);
    await new Promise(setImmediate);
  }
  const { reason, message } = await health("glutton", ({ state }) => state === "failed");
  assert.deepEqual([reason, message?.includes("held back")], ["rules/over-budget", true]);
  for (const before = out.length; out.length === before; ) {
    void come(-1);
    await new Promise(setImmediate);
  }
  await apply([
    rule("good", "SELECT level FROM `tank-01`"),
    { ...glutton, generation: 2, sql: "SELECT 1 AS n FROM `tank-01`" },
  ]);
  await health("glutton", ({ state }) => state === "running");
});

test("a thread that has no turns any more is ended, and begins anew without the rule that was at work", async () => {
  const clock = new SimClock();
  const worker = new URL(workerFile(import.meta.url, "test-still-worker"));
  const { apply, rules, metrics } = gateway("still", { clock, worker, at: String(markOf("stuck")) });
  await apply([rule("stuck", "SELECT level FROM `tank-01`")]);
  await clock.advance(25_000);
  assert.equal(metrics.totals().penstock_rules_thread_losses_total, undefined);
  await clock.advance(10_000);
  assert.equal(metrics.totals().penstock_rules_thread_losses_total, 1);
  await rules.close();
});

test("what rules remember is set aside when their thread does not live with it", async () => {
  const clock = new SimClock();
  const worker = new URL(workerFile(import.meta.url, "test-frail-worker"));
  const { apply, rules, metrics } = gateway("frail", { clock, worker });
  const applied = apply([rule("any", "SELECT level FROM `tank-01`")]);
  for (let losses = 1; losses <= 3; losses++) {
    while ((metrics.totals().penstock_rules_thread_losses_total ?? 0) < losses) await new Promise(setImmediate);
    await clock.advance(1000);
  }
  await applied;
  assert.equal(metrics.totals().penstock_rules_thread_losses_total, 3);
  await rules.close();
  assert.equal(clock.nextAt(), undefined, "nothing keeps the gateway from ending");
});
