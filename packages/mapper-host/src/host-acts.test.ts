import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bool, defineMapper, int, type MethodCall } from "@penstock/mapper-sdk";
import { AppError, defaultLine, type Micros, type Value } from "@penstock/model";
import type { AgentToMapper, MapperToAgent, PointSpec } from "@penstock/wire";
import { MapperHost } from "./host.ts";

/** What a driver without a device was asked to do, and how it shall answer. */
const press = {
  canWriteAll: true,
  together: [] as Value[][],
  alone: [] as Value[],
  calls: [] as MethodCall[],
  opened: 0,
  fails: new Map<Value, AppError>(),
  outcomes: null as readonly (AppError | null)[] | null,
  call: async (): Promise<Value> => null,
};
const mapper = defineMapper({
  name: "press",
  summary: "A press that is not there",
  version: "1.0.0",
  main: "./index.ts",
  connection: {},
  address: { unit: int({ default: 1 }) },
  visitor: { at: int({ min: 0, default: 0 }) },
  method: { code: int({ min: 1 }), isSlow: bool({ default: false }) },
  open: async () => {
    press.opened++;
    const write = async (_point: unknown, value: Value) => {
      press.alone.push(value);
      if (value === "hangs") await new Promise(() => {});
      const error = press.fails.get(value);
      if (error !== undefined) throw error;
    };
    const common = { read: async () => [], write, close: async () => {} };
    if (!press.canWriteAll) return common;
    return {
      ...common,
      writeAll: async (writes: readonly { readonly value: Value }[]) => {
        press.together.push(writes.map(({ value }) => value));
        return press.outcomes ?? writes.map(() => null);
      },
      call: async (method: MethodCall) => {
        press.calls.push(method);
        return press.call();
      },
    };
  },
});

beforeEach(() => {
  Object.assign(press, { canWriteAll: true, together: [], alone: [], calls: [], opened: 0, outcomes: null });
  press.fails.clear();
  press.call = async () => null;
});

function start() {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const clock = {
    now: () => now as Micros,
    monotonic: () => now,
    after: (ms: number, run: () => void) => {
      const timer = { at: now + ms * 1000, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const sent: MapperToAgent[] = [];
  const random = { bytes: (length: number) => new Uint8Array(length), number: () => 0 };
  const host = new MapperHost({ mapper, clock, random, pid: 7, folder: "/own", send: (message) => sent.push(message) });
  host.handle({ t: "open", connection: "c", settings: {}, line: defaultLine });
  const ask = async (message: AgentToMapper, waitMs = 0): Promise<MapperToAgent | undefined> => {
    host.handle(message);
    for (let i = 0; i < 30; i++) await Promise.resolve();
    now += waitMs * 1000;
    for (const timer of [...timers]) if (timer.at <= now) timer.run();
    for (let i = 0; i < 30; i++) await Promise.resolve();
    return sent.findLast((one) => "id" in one && "id" in message && one.id === message.id);
  };
  return { ask };
}
const common = { connection: "c", device: "d", address: {}, deadlineMs: 100 };
function write(id: number, values: readonly Value[], visitors: readonly object[] = []): AgentToMapper {
  const points = values.map((_, i): PointSpec => ({ property: `p${i}`, type: "float64", visitor: { ...visitors[i] } }));
  return { t: "write", id, ...common, points, values };
}
const codes = (answer: MapperToAgent | undefined) =>
  answer?.t === "written" ? answer.outcomes.map((outcome) => outcome?.code ?? null) : answer;

test("host.write hands several values to a driver that takes them together, one to its write", async () => {
  const { ask } = start();
  assert.deepEqual(codes(await ask(write(1, [1, 2, 3]))), [null, null, null]);
  assert.deepEqual([press.together, press.alone], [[[1, 2, 3]], []]);
  assert.deepEqual(codes(await ask(write(2, [4]))), [null]);
  assert.deepEqual(press.alone, [4]);
  press.outcomes = [null, new AppError("mapper/value-refused", "exception 3")];
  assert.deepEqual(codes(await ask(write(3, [5, 6, 7]))), [null, "mapper/value-refused", "mapper/bad-answer"]);
  const wrong = await ask(write(4, [8, 9], [{ at: -1 }]));
  assert.deepEqual(codes(wrong), ["input/invalid", null]);
  assert.deepEqual(press.alone, [4, 9], "the one that is left goes alone");
});

test("host.write writes one after the other where the driver knows no better, and says of each what became of it", async () => {
  press.canWriteAll = false;
  const { ask } = start();
  press.fails.set(2, new AppError("mapper/value-refused", "exception 3"));
  assert.deepEqual(codes(await ask(write(1, [1, 2, 3]))), [null, "mapper/value-refused", null]);
  assert.deepEqual(press.alone, [1, 2, 3]);
});

test("host.write: what was taken before the connection or the time ended is taken, the rest says why not", async () => {
  press.canWriteAll = false;
  const { ask } = start();
  press.fails.set(2, new AppError("mapper/connection-lost", "reset"));
  assert.deepEqual(codes(await ask(write(1, [1, 2, 3]))), [null, "mapper/connection-lost", "mapper/connection-lost"]);
  assert.deepEqual(press.alone, [1, 2]);
  assert.deepEqual(codes(await ask(write(2, [4]))), [null]);
  assert.equal(press.opened, 2, "the lost connection was opened again");
  assert.deepEqual(codes(await ask(write(3, [5, "hangs", 6]), 100)), [null, "mapper/timeout", "mapper/timeout"]);
  const nothing = await ask(write(4, [2, 3]));
  assert.equal(nothing?.t === "failed" && nothing.code, "mapper/connection-lost", "nothing at all was written");
  const few = await ask({ ...write(5, [1, 2]), values: [1] } as AgentToMapper);
  assert.equal(few?.t === "failed" && few.code, "input/invalid");
});

const call = (id: number, visitor: object): AgentToMapper => ({
  ...{ t: "call", id, ...common, method: "fill", visitor: { ...visitor }, result: "int64" },
  arguments: { level: 9007199254740993n },
  custom: { serial: 18446744073709551615n },
});

test("host.call hands the method over once, checked and with defaults, and gives its result", async () => {
  const { ask } = start();
  press.call = async () => 12n;
  assert.deepEqual(await ask(call(1, { code: 3 })), { t: "called", id: 1, value: 12n });
  assert.deepEqual(press.calls, [
    {
      ...{ device: "d", method: "fill", result: "int64", address: { unit: 1 } },
      visitor: { code: 3, isSlow: false },
      arguments: { level: 9007199254740993n },
      deviceCustom: { serial: 18446744073709551615n },
    },
  ]);
  const wrong = await ask(call(2, { code: 0 }));
  assert.match(wrong?.t === "failed" ? wrong.message : "", /spec\.methods\.fill\.visitor\.code/);
  press.call = () => Promise.reject(new AppError("mapper/device-failure", "exception 4"));
  const failed = await ask(call(3, { code: 3 }));
  assert.deepEqual(failed, { t: "failed", id: 3, code: "mapper/device-failure", message: "exception 4" });
  press.call = () => new Promise(() => {});
  const late = await ask(call(4, { code: 3 }), 100);
  assert.equal(late?.t === "failed" && late.code, "mapper/timeout");
  assert.equal(press.calls.length, 3, "none was made again");
});

test("host.call is refused where the connection has no methods", async () => {
  press.canWriteAll = false;
  const { ask } = start();
  const refused = await ask(call(1, { code: 3 }));
  assert.equal(refused?.t === "failed" && refused.code, "mapper/unsupported");
});
