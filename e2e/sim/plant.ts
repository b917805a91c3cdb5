import {
  AppError,
  type AssignedSet,
  type BootId,
  batchFromSamples,
  type ConnectionUid,
  type DeviceAccess,
  type DeviceUid,
  defaultLine,
  type EffectiveDevice,
  type EffectiveMethod,
  type EffectiveProperty,
  type Layout,
  layoutOrder,
  type Micros,
  type NodeUid,
  type ReadingBatch,
  type TenantUid,
  type Value,
} from "@penstock/model";
import type { SimProcess, SimRandom, SimScheduler } from "@penstock/testkit";

export const tenant = "1".repeat(32) as TenantUid;
export const node = "2".repeat(32) as NodeUid;

/** properties that are set; `gate` cannot be read back */
export const settable = ["speed", "limit", "gate"] as const;

const measured = [
  { name: "count", type: "uint64" },
  { name: "level", type: "float64" },
  { name: "text", type: "string" },
  { name: "turns", type: "int32" },
  { name: "total", type: "int64" },
  { name: "weight", type: "float32" },
  { name: "state", type: "json" },
  { name: "mark", type: "bytes" },
  { name: "count2", type: "uint64" },
  { name: "level2", type: "float64" },
  { name: "text2", type: "string" },
  { name: "turns2", type: "int32" },
  { name: "total2", type: "int64" },
  { name: "weight2", type: "float32" },
  { name: "state2", type: "json" },
  { name: "mark2", type: "bytes" },
] as const;

type Type = (typeof measured)[number]["type"];

function property(name: string, type: EffectiveProperty["type"], access: EffectiveProperty["access"]) {
  const plain = {
    unit: null,
    minimum: null,
    maximum: null,
    visitor: {},
    collect: { everyMs: 500 },
    publish: null,
    custom: {},
  };
  const report = { toCloud: true, cadence: null, deadband: null, atLeastMs: null };
  return { name, type, access, report, localWrites: "refuse", ...plain } satisfies EffectiveProperty;
}

const line: AssignedSet["connections"][number] = {
  uid: "c".repeat(32) as ConnectionUid,
  name: "line",
  protocol: "sim",
  settings: {},
  line: defaultLine,
};
/** an act: it must not happen twice */
export const dose: EffectiveMethod = {
  ...{ name: "dose", result: "int32", timeoutMs: 30_000, visitor: {}, sets: [] },
  arguments: [{ name: "n", type: "int32", minimum: null, maximum: null, isOptional: false }],
};
export const devices: readonly EffectiveDevice[] = [1, 2, 3].map((number) => ({
  uid: String(number).padStart(32, "d") as DeviceUid,
  name: `device-${number}`,
  generation: 1,
  connection: line.uid,
  address: {},
  methods: number === 1 ? [dose] : [],
  offlineAfterMs: null,
  custom: {},
  properties: [
    ...measured.map(({ name, type }) => property(name, type, "read")),
    ...settable.map((name) => property(name, "float64", name === "gate" ? "write" : "readWrite")),
  ],
}));
export const assignedSet: AssignedSet = {
  version: 1,
  tenant: { uid: tenant, name: "acme" },
  node: { uid: node, name: "gw-01", timeZone: "UTC" },
  connections: [line],
  devices,
  rules: [],
};
/** the one that is set */
export const machine = devices[0]!;

/** Machines beyond any gateway: what happens to them stays, whoever crashes. Every answered read raises a counter. */
export class Plant {
  readonly #scheduler: SimScheduler;
  readonly #random: SimRandom;
  readonly #layouts: ReadonlyMap<DeviceUid, readonly Layout[]>;
  #counter: number;
  /** last counter that was read, by device */
  readonly last = new Map<DeviceUid, number>();
  readonly held = new Map<string, number>();
  /** in the order in which they reached the machine */
  readonly writes: {
    readonly property: string;
    readonly value: number;
    readonly disks: number;
    readonly at: number;
  }[] = [];
  /** how often it has acted, by the argument of the call */
  readonly acts = new Map<number, number>();
  /** when it acted, by the argument of the call: true microseconds, as those of writes */
  readonly actedAt = new Map<number, number>();
  /** how often the gateway's disk has been put back: a younger copy knows less of what was set */
  disks = 0;
  isDeaf = false;
  /** true times when the gateway began anew after a loss of power, and its clock, set by people, told it wrongly for how long that was */
  readonly timeLost: number[] = [];

  constructor(options: { readonly scheduler: SimScheduler; readonly random: SimRandom; readonly first: number }) {
    this.#scheduler = options.scheduler;
    this.#random = options.random;
    this.#counter = options.first;
    // Two shapes a device: all properties, and without one, as after an edit.
    const shapes = (device: EffectiveDevice) =>
      [0, 1].map((left) => ({
        id: 0,
        device: device.uid,
        properties: layoutOrder(measured.slice(left).map(({ name, type }) => ({ name, type }))),
      }));
    this.#layouts = new Map(devices.map((device) => [device.uid, shapes(device)]));
  }

  read(
    device: DeviceUid,
    at: { readonly time: Micros; readonly monotonic: number; readonly uncertain: BootId | null },
  ) {
    const n = ++this.#counter;
    this.last.set(device, n);
    const layouts = this.#layouts.get(device)!;
    const layout = this.#random.chance(0.1) ? layouts[1]! : layouts[0]!;
    const values: Record<Type, Value> = {
      ...{ uint64: BigInt(n), int64: -BigInt(n), int32: n, float64: n + 0.25, float32: n + 0.5, string: `#${n}` },
      ...{ json: { json: { n } }, bytes: Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n) },
    };
    const skipped = this.#random.chance(0.1) ? layout.properties[0]!.name : null;
    const { batch } = batchFromSamples({
      layout,
      clock: at.uncertain === null ? null : { boot: at.uncertain, monotonic: at.monotonic },
      samples: layout.properties
        .filter(({ name }) => name !== skipped)
        .map(({ name, type }, row) => ({
          property: name,
          time: (at.time + row) as Micros,
          value: values[type as Type],
          quality: at.uncertain === null ? "good" : "uncertain",
          reason: at.uncertain === null ? null : "clock/not-set",
        })),
    });
    return batch satisfies ReadingBatch;
  }

  /** How a gateway's process reaches the machines: a write lands although the process that asked has ended meanwhile. */
  accessFor(process: SimProcess): DeviceAccess {
    const { disks } = this;
    const ask = <T>(label: string, signal: AbortSignal, answer: () => T) =>
      new Promise<T>((settle, fail) => {
        const onAbort = () => reject(signal.reason);
        const done = () => signal.removeEventListener("abort", onAbort);
        const resolve = (value: T) => {
          done();
          settle(value);
        };
        const reject = (error: unknown) => {
          done();
          fail(error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        // A signal that somebody listens to is never collected, and a dead process removes no listener.
        process.onEnd(done);
        process.later(1, `${label} asked`, () => {
          this.#scheduler.clock.after(1 + this.#random.number() * 10, () => {
            if (this.isDeaf || this.#random.chance(0.05)) {
              const isHeard = !this.isDeaf && this.#random.chance(0.5);
              if (isHeard) answer();
              process.later(500, `${label} timed out`, () => {
                reject(new AppError("mapper/timeout", "Cannot reach the machine: no answer"));
              });
              return;
            }
            const result = answer();
            process.later(1, `${label} answered`, () => resolve(result));
          });
        });
      });
    return {
      write: (_device, writes, signal) =>
        ask("write", signal, () =>
          writes.map(({ property, value }) => {
            this.held.set(property, value as number);
            this.writes.push({ property, value: value as number, disks, at: this.#scheduler.clock.monotonic() });
            return null;
          }),
        ),
      read: (_device, property, signal) => ask("read", signal, () => this.held.get(property) ?? 0),
      call: ({ arguments: { n }, onSent }, signal) => {
        onSent?.();
        return ask("call", signal, () => {
          this.acts.set(n as number, (this.acts.get(n as number) ?? 0) + 1);
          this.actedAt.set(n as number, this.#scheduler.clock.monotonic());
          return n as number;
        });
      },
    };
  }
}
