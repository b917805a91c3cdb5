import { batchFromSamples, type DeviceUid, type Layout, type Micros, type Sample } from "@penstock/model";
import type { BytePipe, Child, ChildExit, ChildProcesses, Clock, SpawnOptions } from "@penstock/runtime";
import {
  type AgentToMapper,
  encodeBatchBody,
  encodeMapperFrame,
  MapperFrameReader,
  type MapperToAgent,
  mapperProtocol,
} from "@penstock/wire";

type Group = Extract<AgentToMapper, { readonly t: "group" }>;
type Ask = Extract<AgentToMapper, { readonly t: "read" | "write" | "read-point" | "call" | "subscribe" | "browse" }>;

/**
 * For tests: a mapper process that lives in memory and speaks real frames. Every property reads as `value`; a device in
 * `silent` is not answered; `answer` sees each request first and may do otherwise.
 */
export class FakeMapper implements Child {
  readonly pid: number;
  readonly spawned: SpawnOptions;
  readonly pipe: BytePipe;
  readonly heard: AgentToMapper[] = [];
  readonly groups = new Map<number, Group>();
  readonly silent = new Set<string>();
  answer: (ask: Ask, group: Group | undefined) => boolean = () => false;
  isDeaf = false;
  isMute = false;
  value = 21.5;
  readonly #clock: Clock;
  readonly #reader = new MapperFrameReader<AgentToMapper>();
  #toAgent: (bytes: Uint8Array) => void = () => {};
  #onClose: () => void = () => {};
  #onExit: (exit: ChildExit) => void = () => {};
  #onLine: (line: string, from: "stdout" | "stderr") => void = () => {};
  #isGone = false;

  constructor(options: { pid: number; spawned: SpawnOptions; clock: Clock }) {
    this.pid = options.pid;
    this.spawned = options.spawned;
    this.#clock = options.clock;
    this.pipe = {
      queuedBytes: 0,
      write: (bytes) => {
        if (!this.#isGone) for (const message of this.#reader.push(bytes)) this.#take(message);
      },
      onData: (listener) => {
        this.#toAgent = listener;
        this.say({ t: "hello", protocol: mapperProtocol, name: "fake", version: "1.0.0", pid: this.pid });
      },
      onClose: (listener) => {
        this.#onClose = listener;
      },
      close: () => {},
    };
  }

  onLine(listener: (line: string, from: "stdout" | "stderr") => void): void {
    this.#onLine = listener;
  }

  onExit(listener: (exit: ChildExit) => void): void {
    this.#onExit = listener;
  }

  kill(): void {
    this.die(null, "SIGKILL");
  }

  die(code: number | null, signal: string | null = null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#clock.after(0, () => {
      this.#onClose();
      this.#onExit({ code, signal, error: null });
    });
  }

  print(line: string): void {
    this.#onLine(line, "stdout");
  }

  say(message: MapperToAgent): void {
    this.sayBytes(encodeMapperFrame(message));
  }

  sayBytes(bytes: Uint8Array): void {
    this.#clock.after(1, () => {
      if (!this.#isGone && !this.isMute) this.#toAgent(bytes);
    });
  }

  values(id: number, group: Group, samples: readonly Partial<Sample>[] = [{}]): void {
    const layout: Layout = { id: 0, device: group.device as DeviceUid, properties: propertiesOf(group) };
    const time = this.#clock.monotonic() as Micros;
    const rows = group.points.map(({ property }, i): Sample => {
      const given = samples[Math.min(i, samples.length - 1)];
      return { property, time, value: this.value, quality: "good", reason: null, ...given };
    });
    this.say({ t: "values", id, body: encodeBatchBody(batchFromSamples({ layout, samples: rows }).batch) });
  }

  news(group: Group, samples: readonly (Partial<Sample> & { readonly property: string })[], isWall = false): void {
    const layout: Layout = { id: 0, device: group.device as DeviceUid, properties: propertiesOf(group) };
    const time = this.#clock.monotonic() as Micros;
    const rows = samples.map((sample): Sample => ({ time, value: null, quality: "good", reason: null, ...sample }));
    const body = encodeBatchBody(batchFromSamples({ layout, samples: rows }).batch);
    this.say({ t: "news", group: group.group, body, isWall, dropped: 0 });
  }

  #take(message: AgentToMapper): void {
    this.heard.push(message);
    if (this.isDeaf) return;
    switch (message.t) {
      case "group":
        this.groups.set(message.group, message);
        break;
      case "ungroup":
        this.groups.delete(message.group);
        break;
      case "ping":
        this.say({ t: "pong", n: message.n });
        break;
      case "stop":
        this.die(0);
        break;
      case "read": {
        const group = this.groups.get(message.group);
        if (this.answer(message, group) || group === undefined || this.silent.has(group.device)) break;
        this.values(message.id, group);
        break;
      }
      case "subscribe":
        if (!this.answer(message, this.groups.get(message.group))) this.say({ t: "subscribed", id: message.id });
        break;
      case "browse":
        if (!this.answer(message, undefined))
          this.say({ t: "browsed", id: message.id, nodes: [{ name: "level", path: ["level"], visitor: {} }] });
        break;
      case "write":
        if (!this.answer(message, undefined))
          this.say({ t: "written", id: message.id, outcomes: message.points.map(() => null) });
        break;
      case "call":
        if (!this.answer(message, undefined)) this.say({ t: "called", id: message.id, value: null });
        break;
      case "read-point":
        if (!this.answer(message, undefined)) this.say({ t: "point", id: message.id, value: this.value, reason: null });
        break;
    }
  }
}

function propertiesOf({ points }: Group) {
  return points.map(({ property, type }) => ({ name: property, type }));
}

/** Every process that was started, in order. */
export class FakeProcesses implements ChildProcesses {
  readonly started: FakeMapper[] = [];
  /** those that start from now on say nothing, not even hello */
  isMute = false;
  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  spawn(spawned: SpawnOptions): FakeMapper {
    const fake = new FakeMapper({ pid: 100 + this.started.length, spawned, clock: this.#clock });
    fake.isMute = this.isMute;
    this.started.push(fake);
    return fake;
  }
  get last(): FakeMapper {
    return this.started[this.started.length - 1]!;
  }
}
