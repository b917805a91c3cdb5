import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type DeviceUid, defaultLine, type Micros, readingsOf } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { type AgentToMapper, decodeBatchBody, type MapperToAgent } from "@penstock/wire";
import { lamp, lamps } from "../test/lamp/index.ts";
import { MapperHost } from "./host.ts";

const layout = { id: 0, device: "d" as DeviceUid, properties: [{ name: "level", type: "float64" as const }] };

function start() {
  let now = 1_000_000;
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    now: () => now as Micros,
    monotonic: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms * 1000, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const sent: MapperToAgent[] = [];
  const host = new MapperHost({
    ...{ mapper: lamp, clock, random: { bytes: (n) => new Uint8Array(n), number: () => 0.5 } },
    ...{ pid: 7, folder: "/own", send: (message) => void sent.push(message) },
  });
  const tell = async (...messages: AgentToMapper[]) => {
    for (const message of messages) host.handle(message);
    for (let i = 0; i < 30; i++) await Promise.resolve();
    return sent.splice(0);
  };
  const move = async (ms: number) => {
    now += ms * 1000;
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { run } of due) run();
    return tell();
  };
  return { tell, move, host };
}

const visited = (visitor = {}): AgentToMapper[] => [
  { t: "open", connection: "c", settings: { host: "h" }, line: defaultLine },
  {
    ...{ t: "group", group: 1, connection: "c", device: "d", address: {} },
    points: [{ property: "level", type: "float64", visitor }],
  },
];
const subscribe = (id: number): AgentToMapper => ({ t: "subscribe", id, group: 1, deadlineMs: 100 });
const values = (messages: readonly MapperToAgent[]) =>
  messages
    .flatMap((message) => (message.t === "news" ? readingsOf(decodeBatchBody(layout, message.body)) : []))
    .map(({ value }) => value);
const kinds = (messages: readonly MapperToAgent[]) => messages.map(({ t }) => t);

beforeEach(() => Object.assign(lamps, { opened: 0, closed: 0, refuseOpen: null, told: [] }));

test("host.subscribe answers once the driver has agreed, then tells each change; ungroup ends it", async () => {
  const { tell, move } = start();
  assert.deepEqual(kinds(await tell(...visited(), subscribe(1))), ["connection", "subscribed"]);
  assert.equal(lamps.folder, "/own");
  assert.deepEqual(values(await move(10)), [0]);
  lamps.tell(0, 4.5);
  lamps.tell(0, 5.5);
  assert.deepEqual(values(await move(10)), [4.5, 5.5]);
  await tell({ t: "ungroup", group: 1 });
  assert.deepEqual(lamps.told, ["ended"]);
  lamps.tell(0, 6.5);
  assert.deepEqual(await move(10), []);
});

test("host.subscribe: a lost connection ends it after what had come, and it can be asked for again", async () => {
  const { tell, move } = start();
  await tell(...visited(), subscribe(1));
  await move(10);
  lamps.tell(0, 1.5);
  lamps.lose();
  const told = await tell();
  assert.deepEqual(kinds(told), ["connection", "news", "unsubscribed"]);
  assert.deepEqual(values(told), [1.5]);
  const end = told[2];
  assert.equal(end?.t === "unsubscribed" && end.code, "mapper/connection-lost");
  await move(60_000);
  assert.deepEqual(kinds(await tell(subscribe(2))), ["connection", "subscribed"]);
});

test("host.subscribe: no agreement in time fails it, and late changes are not told", async () => {
  const { tell, move } = start();
  await tell(...visited({ hangs: true }), subscribe(1));
  const told = await move(100);
  assert.deepEqual(kinds(told), ["failed"]);
  assert.equal(told[0]?.t === "failed" && told[0].code, "mapper/timeout");
  assert.deepEqual(await move(100), []);
});

test("host.subscribe: a point whose settings break a rule is told as bad, the group goes on", async () => {
  const { tell, move } = start();
  await tell(...visited({ value: "x" }), subscribe(1));
  const [news] = (await move(10)).filter(({ t }) => t === "news");
  assert.ok(news?.t === "news");
  const [row] = readingsOf(decodeBatchBody(layout, news.body));
  assert.deepEqual([row?.quality, row?.reason], ["bad", "input/invalid"]);
});

test("host.browse gives what lies below a path", async () => {
  const { tell } = start();
  const [, browsed] = await tell(...visited(), { t: "browse", id: 4, connection: "c", path: [], deadlineMs: 100 });
  assert.deepEqual(browsed, { t: "browsed", id: 4, nodes: [{ name: "hall", path: ["hall"], hasChildren: true }] });
});
