import assert from "node:assert/strict";
import { test } from "node:test";
import { createLink } from "@penstock/edge";
import type { AlarmAct, AlarmActOutcome, AlarmTransition, CloudAlarms, EdgeAlarms, RuleUid } from "@penstock/model";
import { limits } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom } from "@penstock/testkit";
import type { Transport } from "@penstock/wire";
import {
  boot,
  emptyReport,
  MemoryCloudControl,
  MemoryEdgeControl,
  MemoryIngest,
  MemoryOutbox,
  memoryLine,
  peer,
} from "./link-fixture.ts";
import { createLinkServer } from "./link-server.ts";

const epoch = "e".repeat(32);
const transition = (number: number): AlarmTransition => ({
  ...{ number, occurrence: number, kind: "raised", time: 1 as AlarmTransition["time"], rule: "r" as RuleUid },
  ...{ ruleName: "watch", alarm: "hot", key: "", device: null, severity: "major", message: "m" },
  ...{ state: "unacknowledged", count: 1, shelving: null, who: null, comment: null, escalated: 0 },
});
const act = (id: string): AlarmAct => ({
  ...{ id: id.repeat(32), kind: "acknowledge", rule: "r" as RuleUid, alarm: "hot", key: "", occurrence: 1 },
  ...{ who: "ada", comment: null, until: null },
});

/** Both ends of a link, with alarms in memory; the line can be cut, and the cloud may fail to store. */
function world({ hasAlarms = true } = {}) {
  const clock = new SimClock();
  const random = new SimRandom(1);
  const faults = { duplicate: 0, reorder: 0, isHalfOpen: false };
  let pending = [1, 2, 3].map(transition);
  const listeners = new Set<() => void>();
  const acted: string[] = [];
  const edgeAlarms: EdgeAlarms = {
    epoch: () => epoch,
    pendingTransitions: () => pending,
    onTransition(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async transitionsTaken(of, numbers) {
      assert.equal(of, epoch);
      pending = pending.filter(({ number }) => !numbers.includes(number));
    },
    async takeActs(acts) {
      acted.push(...acts.map(({ id }) => id));
      return acts.map(({ id }): AlarmActOutcome => ({ id, reason: null }));
    },
  };
  const stored: number[] = [];
  const sizes: number[] = [];
  let acts: AlarmAct[] = [];
  const state = { isBroken: false };
  const ruleAlarms: CloudAlarms = {
    async takeTransitions(_, of, transitions) {
      assert.equal(of, epoch);
      sizes.push(transitions.length);
      if (state.isBroken) throw new Error("the disk is full");
      stored.push(...transitions.map(({ number }) => number));
    },
    pendingActs: async () => acts,
    async actsDone(_, outcomes) {
      acts = acts.filter(({ id }) => !outcomes.some((one) => one.id === id));
    },
  };
  const control = Object.assign(new MemoryCloudControl(), hasAlarms ? { ruleAlarms } : {});
  const server = createLinkServer({
    ...{ ingest: new MemoryIngest(), control, clock, log: silentLog, metrics: metricsRegistry() },
  });
  let last: [Transport, Transport] | null = null;
  const link = createLink({
    ...{ outbox: new MemoryOutbox(), control: new MemoryEdgeControl(), alarms: edgeAlarms, clock, random, boot },
    mappers: { list: () => [], manifest: () => null, onChange: () => () => {} },
    browse: async () => [],
    report: () => emptyReport,
    async dial() {
      last = memoryLine({ clock, random, faults });
      server.accept(last[1], peer);
      return last[0];
    },
    ...{ log: silentLog, metrics: metricsRegistry(), agentVersion: "0.1.0", timeTrusted: () => true, onTime() {} },
    certificate: () => null,
    async onCertificate() {},
  });
  return {
    ...{ clock, stored, sizes, acted, state, server },
    pending: () => pending.map(({ number }) => number),
    raise(...numbers: number[]) {
      pending = [...pending, ...numbers.map(transition)];
      for (const listener of listeners) listener();
    },
    ask(...wanted: AlarmAct[]) {
      acts.push(...wanted);
      server.alarmActsChanged(peer.node);
    },
    acts: () => acts,
    cut: () => last?.[0].close("cut"),
    async end() {
      const closed = link.close();
      await clock.advanceAsync(100);
      await closed;
    },
  };
}

test("alarms go up once a session until the cloud has them, also those that come meanwhile", async () => {
  const w = world();
  await w.clock.advanceAsync(1000);
  assert.deepEqual([w.stored, w.pending()], [[1, 2, 3], []]);
  w.raise(4);
  w.raise(5);
  await w.clock.advanceAsync(1000);
  assert.deepEqual([w.stored, w.pending()], [[1, 2, 3, 4, 5], []]);
  await w.end();
});

test("what the cloud could not store is told again in the next session", async () => {
  const w = world();
  w.state.isBroken = true;
  await w.clock.advanceAsync(1000);
  assert.deepEqual([w.stored, w.pending()], [[], [1, 2, 3]]);
  w.state.isBroken = false;
  await w.clock.advanceAsync(60_000);
  assert.deepEqual([w.stored, w.pending()], [[1, 2, 3], []]);
  await w.end();
});

test("a long outage goes up in messages that a session can take", async () => {
  const w = world();
  w.raise(...Array.from({ length: 997 }, (_, i) => i + 4));
  await w.clock.advanceAsync(5000);
  assert.equal(w.pending().length, 0);
  assert.ok(w.sizes.every((size) => size <= limits.alarmTransitionsTold));
  assert.equal(w.stored.length, 1000);
  await w.end();
});

test("what people do goes down when it is done and when the gateway comes, and its outcome comes back", async () => {
  const w = world();
  await w.clock.advanceAsync(1000);
  w.ask(act("a"));
  await w.clock.advanceAsync(1000);
  assert.deepEqual([w.acted, w.acts()], [["a".repeat(32)], []]);
  w.cut();
  w.ask(act("b"));
  await w.clock.advanceAsync(60_000);
  assert.deepEqual([w.acted.at(-1), w.acts()], ["b".repeat(32), []]);
  await w.end();
});

test("a cloud that keeps no alarms leaves them at the gateway, and the session goes on", async () => {
  const w = world({ hasAlarms: false });
  await w.clock.advanceAsync(5000);
  assert.deepEqual([w.pending().length, w.sizes], [3, []]);
  assert.equal(w.server.isConnected(peer.node), true);
  await w.end();
});
