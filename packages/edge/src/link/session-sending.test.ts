import assert from "node:assert/strict";
import test from "node:test";
import type { BootId, DeviceUid, Epoch, Layout, Micros, OutboxEntry } from "@penstock/model";
import { newEdgeSession } from "./session.ts";
import { sendEntries } from "./session-sending.ts";

const layout: Layout = {
  id: 1,
  device: "d".repeat(32) as DeviceUid,
  properties: [{ name: "speed", type: "bool" }],
};
const entry = (firstSeq: number): OutboxEntry => ({ firstSeq, count: 1, layout, body: new Uint8Array(3).fill(0xc0) });

test("sendEntries() tells a layout on each lane: a live message may overtake the backlog's that told it first", () => {
  const { state } = newEdgeSession({
    hello: {
      t: "hello",
      ...{ versions: { min: 1, max: 1 }, features: [], agent: "1", boot: "b".repeat(32) as BootId },
      ...{ epoch: "e".repeat(32) as Epoch, lowest: 1, highest: 10, recovered: 0 },
      ...{ time: 0 as Micros, timeTrusted: true, assignedVersion: 0 },
    },
    ...{ boot: null, sent: 0, now: 0 },
  });
  const open = { ...state, phase: "open" as const, credit: { live: 1e6, backlog: 1e6 }, durable: 12 };
  const layoutsOf = (step: ReturnType<typeof sendEntries>) =>
    step.effects.flatMap((effect) =>
      effect.t === "send" && effect.message.t === "readings" ? [effect.message.layouts.map(({ id }) => id)] : [],
    );
  const backlog = sendEntries(open, { lane: "backlog", entries: [entry(1)], now: 0 });
  assert.deepEqual(layoutsOf(backlog), [[1]]);
  const live = sendEntries(backlog.state, { lane: "live", entries: [entry(11)], now: 0 });
  assert.deepEqual(layoutsOf(live), [[1]]);
  assert.deepEqual(layoutsOf(sendEntries(live.state, { lane: "live", entries: [entry(12)], now: 0 })), [[]]);
});
