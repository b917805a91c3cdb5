import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, type DeviceUid, isErrorCode, type Micros, manifestVersion, readingsOf } from "@penstock/model";
import { type Files, metricsRegistry, type SpawnOptions, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { encodeMapperFrame, type MapperToAgent } from "@penstock/wire";
import fc from "fast-check";
import { type Collect, createCollect } from "./collect.ts";
import { type FakeMapper, FakeProcesses } from "./test/fake-mapper.ts";
import { assigned, device, property } from "./test/test-set.ts";

const manifest = JSON.stringify({
  ...{ manifest: manifestVersion, name: "fake", summary: "Test", version: "1.0.0", sdk: { min: 1, max: 1 } },
  ...{ main: "./main.ts", extent: null, permissions: [] },
  connection: { type: "object", properties: {} },
  address: { type: "object", properties: {} },
  visitor: { type: "object", properties: {} },
});
// Only what looking for manifests needs.
const files = {
  list: () => Promise.resolve([]),
  exists: () => Promise.resolve(true),
  readAll: () => Promise.resolve(new TextEncoder().encode(manifest)),
} as unknown as Files;

const press = "press" as DeviceUid;
const kinds = ["hello", "values", "written", "point", "failed", "connection", "log", "pong", "later"] as const;
const junk = fc.oneof(
  fc.anything({ withNullPrototype: false, withBigInt: false }),
  fc.constantFrom<unknown>(
    "bus-a",
    "lost",
    "connected",
    "mapper/timeout",
    "internal",
    "info",
    1,
    2,
    3,
    null,
    undefined,
  ),
  fc.uint8Array({ maxLength: 40 }),
);
/** A message with some of the fields it should have, and anything in them. */
const message = fc.record(
  {
    t: fc.constantFrom(...kinds),
    id: fc.oneof(fc.integer({ min: 0, max: 6 }), junk),
    ...{ body: junk, trace: junk, value: junk, reason: junk, code: junk, message: junk, connection: junk, state: junk },
    ...{ level: junk, fields: junk, n: junk, protocol: junk, name: junk, version: junk, pid: junk },
  },
  { requiredKeys: ["t"] },
);
const bytesOf = (said: unknown): Uint8Array | null => {
  try {
    return encodeMapperFrame(said as MapperToAgent);
  } catch {
    // Not everything can be put into a frame.
    return null;
  }
};
/** Its first process says this in place of its hello. */
class OddProcesses extends FakeProcesses {
  readonly #hello: Uint8Array | null;
  constructor(clock: SimClock, hello: Uint8Array | null) {
    super(clock);
    this.#hello = hello;
  }
  override spawn(spawned: SpawnOptions): FakeMapper {
    const fake = super.spawn(spawned);
    const say = fake.say.bind(fake);
    const hello = this.started.length === 1 ? this.#hello : null;
    fake.say = (message) => (message.t === "hello" && hello !== null ? fake.sayBytes(hello) : say(message));
    return fake;
  }
}
const said = fc.oneof(
  { weight: 6, arbitrary: message.map(bytesOf) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

const hello = message.map((odd) => bytesOf({ ...odd, t: "hello" }) ?? Uint8Array.of(0));

function collectWith(options: {
  readonly clock: SimClock;
  readonly processes: FakeProcesses;
  readonly isTraced: boolean;
  readonly values: unknown[];
}): Collect {
  const { clock, processes, isTraced, values } = options;
  return createCollect({
    bus: {
      publish: async (batch) => void values.push(...readingsOf(batch).map(({ value }) => value)),
      subscribe: () => () => {},
    },
    ...{ clock, files, processes, metrics: metricsRegistry() },
    log: { ...silentLog, tracing: isTraced, with: () => ({ ...silentLog, tracing: isTraced }) },
    wallOf: (monotonic) => ({ time: monotonic as Micros, uncertain: null }),
    mapperFolders: ["/mappers"],
    hostCommand: { command: "node", args: [] },
    mapperData: "/data/mappers",
  });
}

test("collect: whatever a mapper says, the agent goes on, and its next process is as good as any", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(said, { minLength: 1, maxLength: 12 }),
      fc.option(hello),
      fc.boolean(),
      async (says, odd, isTraced) => {
        const clock = new SimClock();
        const processes = new OddProcesses(clock, odd);
        const values: unknown[] = [];
        const found: unknown[] = [];
        const collect = collectWith({ clock, processes, isTraced, values });
        collect.apply(assigned([device("press", [property("speed", { access: "readWrite" })])]));
        await clock.advanceAsync(1500);
        const signal = new AbortController().signal;
        const first = processes.last;
        first.answer = () => true;
        for (const bytes of says) {
          collect.access.write(press, [{ property: "speed", value: 1 }], signal).catch(() => {});
          collect.access.read(press, "speed", signal).then(
            (value) => found.push(typeof value),
            (error: unknown) => found.push(isErrorCode((error as AppError).code) ? "number" : String(error)),
          );
          if (bytes !== null) first.sayBytes(bytes);
          await clock.advanceAsync(300);
          for (const { reason, message } of [...collect.devices(), ...collect.mappers()]) {
            assert.ok(reason === null || isErrorCode(reason), `reason ${reason}`);
            assert.ok(message === null || (typeof message === "string" && message.length < 1200), `message ${message}`);
          }
        }
        first.die(1);
        await clock.advanceAsync(100);
        assert.ok(
          found.every((type) => type === "number"),
          `read back ${found}`,
        );
        await clock.advanceAsync(40_000);
        values.length = 0;
        await clock.advanceAsync(2000);
        assert.ok(processes.last !== first && values.includes(21.5), "the next process is not read");
        const closed = collect.close();
        await clock.advanceAsync(10_000);
        await closed;
      },
    ),
    { numRuns: 150 },
  );
});

const answers: readonly [act: "read" | "write", said: Record<string, unknown>, code: string][] = [
  ["read", { t: "point", value: "fast", reason: null }, "mapper/bad-answer"],
  ["read", { t: "point", value: null, reason: null }, "mapper/bad-answer"],
  ["read", { t: "point", value: { toString: 1 }, reason: null }, "mapper/bad-answer"],
  ["read", { t: "point", value: 1, reason: "no/such-code" }, "mapper/bad-answer"],
  ["read", { t: "written" }, "mapper/bad-answer"],
  ["write", { t: "point", value: 1, reason: null }, "mapper/bad-answer"],
  ["write", { t: "hello" }, "mapper/bad-answer"],
  ["write", { t: "failed", code: 5, message: { toString: 1n } }, "mapper/bad-answer"],
  ["write", { t: "failed", code: "mapper/value-refused", message: "x".repeat(100_000) }, "mapper/value-refused"],
];

test("collect.access takes no answer that is not one, and passes on no reason that the error table lacks", async () => {
  const clock = new SimClock();
  const processes = new FakeProcesses(clock);
  const collect = collectWith({ clock, processes, isTraced: true, values: [] });
  collect.apply(assigned([device("press", [property("speed", { access: "readWrite" })])]));
  await clock.advanceAsync(1500);
  const mapper = processes.last;
  const { signal } = new AbortController();
  for (const [act, said, code] of answers) {
    mapper.answer = (ask) => {
      if (ask.t === "read") return false;
      mapper.say({ ...said, id: ask.id, trace: [null, 5, { file: {} }] } as unknown as MapperToAgent);
      return true;
    };
    const { access } = collect;
    const asked =
      act === "read"
        ? access.read(press, "speed", signal)
        : access.write(press, [{ property: "speed", value: 1 }], signal);
    const refused = assert.rejects(asked, (error: AppError) => {
      assert.equal(
        error.code,
        code,
        JSON.stringify(said, (_key, value) => (typeof value === "bigint" ? 0 : value)),
      );
      return error.message.length < 1200;
    });
    await clock.advanceAsync(100);
    await refused;
  }
  mapper.say({ t: "connection", connection: "bus-a", state: "lost", code: 5, message: {} } as unknown as MapperToAgent);
  await clock.advanceAsync(5);
  assert.equal(collect.devices()[0]?.reason, "mapper/connection-lost");
  assert.equal(collect.devices()[0]?.message, "(no text but object)");
  const closed = collect.close();
  await clock.advanceAsync(10_000);
  await closed;
});

test("collect publishes values whose trace is none", async () => {
  const clock = new SimClock();
  const processes = new FakeProcesses(clock);
  const values: unknown[] = [];
  const collect = collectWith({ clock, processes, isTraced: true, values });
  collect.apply(assigned([device("press", [property("speed")])]));
  await clock.advanceAsync(1500);
  const mapper = processes.last;
  const say = mapper.say.bind(mapper);
  mapper.say = (message) => say({ ...message, trace: [null, { file: 1n }] } as unknown as MapperToAgent);
  values.length = 0;
  await clock.advanceAsync(3000);
  assert.deepEqual(values, [21.5, 21.5, 21.5]);
  const closed = collect.close();
  await clock.advanceAsync(10_000);
  await closed;
});
