import type { Outcome, RehearsalOrder, RehearsedPoint } from "@penstock/mapper-sdk";
import { type DeviceUid, type Layout, readingsOf, type Value } from "@penstock/model";
import type { Child, ChildExit } from "@penstock/runtime";
import {
  type AgentToMapper,
  decodeBatchBody,
  encodeMapperFrame,
  type JsonObject,
  MapperFrameReader,
  type MapperToAgent,
  type PointSpec,
} from "@penstock/wire";

const connection = "connection";
const device = "device";
const property = "property";
/** what is read, and what is subscribed to */
const [asked, told] = [1, 2];
/** longer than any time-out of the lines that are played */
const deadlineMs = 20_000;
const lastWordsKept = 2000;

/** One life of the mapper's process. */
interface Life {
  readonly child: Child;
  readonly waiting: Map<string, (answer: MapperToAgent | ChildExit) => void>;
  readonly ended: Promise<ChildExit>;
  lastWords: string;
}

/** Starts a mapper's process and speaks to it as a gateway does, one device with one property at a time. */
export class PlayedGateway {
  readonly #spawn: () => Child;
  #life: Life | null = null;
  #last = 0;

  constructor(spawn: () => Child) {
    this.#spawn = spawn;
  }

  async take(order: RehearsalOrder): Promise<unknown> {
    switch (order.do) {
      case "start":
        return this.#start();
      case "read":
        return this.#read(order);
      case "subscribe":
        return this.#subscribe(order);
      case "write":
        return this.#write(order, order.value);
      case "hear": {
        const n = ++this.#last;
        await this.#answer(`pong ${n}`, [{ t: "ping", n }]);
        return null;
      }
      case "kill":
        return this.#end((child) => child.kill("SIGKILL"));
      case "stop":
        return this.#end((child) => child.pipe.write(encodeMapperFrame({ t: "stop" })));
    }
  }

  async #start(): Promise<null> {
    await this.#end((child) => child.kill("SIGKILL"));
    const child = this.#spawn();
    const waiting: Life["waiting"] = new Map();
    const ended = new Promise<ChildExit>((resolve) => child.onExit(resolve));
    const life: Life = { child, waiting, ended, lastWords: "" };
    this.#life = life;
    const reader = new MapperFrameReader<MapperToAgent>();
    child.onLine((line) => {
      life.lastWords = `${life.lastWords}\n${line}`.slice(-lastWordsKept);
    });
    child.pipe.onData((bytes) => {
      for (const message of reader.push(bytes)) {
        const key = keyOf(message);
        waiting.get(key)?.(message);
        waiting.delete(key);
      }
    });
    ended.then((exit) => {
      if (this.#life === life) this.#life = null;
      for (const settle of waiting.values()) settle(exit);
      waiting.clear();
    });
    const hello = await this.#answer("hello", []);
    if (hello !== null) return null;
    throw new Error(`The mapper's process ended before it said hello: ${endOf(await ended)}${life.lastWords}`);
  }

  async #read(point: RehearsedPoint): Promise<Outcome> {
    const id = ++this.#last;
    const answer = await this.#answer(`answer ${id}`, [
      ...announced(point, asked),
      { t: "read", id, group: asked, deadlineMs },
    ]);
    return answer?.t === "values" ? outcomeOf(point, answer.body) : { code: codeOf(answer) };
  }

  /** @returns the first that the device tells by itself */
  async #subscribe(point: RehearsedPoint): Promise<Outcome> {
    const id = ++this.#last;
    const first = this.#answer(`news ${told}`, []);
    const answer = await this.#answer(`answer ${id}`, [
      ...announced(point, told),
      { t: "subscribe", id, group: told, deadlineMs },
    ]);
    if (answer?.t !== "subscribed") return { code: codeOf(answer) };
    const news = await first;
    return news?.t === "news" ? outcomeOf(point, news.body) : { code: codeOf(news) };
  }

  async #write(point: RehearsedPoint, value: Value): Promise<Outcome | null> {
    const id = ++this.#last;
    const [open] = announced(point, asked);
    const address = point.address as JsonObject;
    const answer = await this.#answer(`answer ${id}`, [
      open,
      { t: "write", id, connection, device, address, points: [specOf(point)], values: [value], deadlineMs },
    ]);
    if (answer?.t !== "written") return { code: codeOf(answer) };
    const [outcome] = answer.outcomes;
    return outcome === null || outcome === undefined ? null : { code: outcome.code };
  }

  /** @returns null when the process ends before it answers */
  #answer(key: string, messages: readonly AgentToMapper[]): Promise<MapperToAgent | null> {
    const life = this.#life;
    if (life === null) return Promise.resolve(null);
    const answered = new Promise<MapperToAgent | null>((resolve) =>
      life.waiting.set(key, (answer) => resolve("t" in answer ? answer : null)),
    );
    for (const message of messages) life.child.pipe.write(encodeMapperFrame(message));
    return answered;
  }

  /** @returns how it ended; null when there was none */
  async #end(by: (child: Child) => void): Promise<string | null> {
    const life = this.#life;
    if (life === null) return null;
    by(life.child);
    return endOf(await life.ended);
  }
}

/** What a gateway says before it asks, again and again: it changes nothing where nothing has changed. */
function announced(point: RehearsedPoint, group: number): readonly [open: AgentToMapper, group: AgentToMapper] {
  const address = point.address as JsonObject;
  return [
    { t: "open", connection, settings: point.settings as JsonObject, line: point.line },
    { t: "group", group, connection, device, address, points: [specOf(point)] },
  ];
}

function outcomeOf({ type }: RehearsedPoint, body: Uint8Array): Outcome {
  const layout: Layout = { id: 0, device: device as DeviceUid, properties: [{ name: property, type }] };
  const [reading] = readingsOf(decodeBatchBody(layout, body));
  if (reading === undefined) return { code: "no result" };
  return reading.value === null ? { code: reading.reason ?? "no reason" } : { value: reading.value };
}

function specOf({ type, visitor }: RehearsedPoint): PointSpec {
  return { property, type, visitor: visitor as PointSpec["visitor"] };
}

function keyOf(message: MapperToAgent): string {
  if (message.t === "pong") return `pong ${message.n}`;
  if (message.t === "news") return `news ${message.group}`;
  return "id" in message ? `answer ${message.id}` : message.t;
}

function codeOf(answer: MapperToAgent | null): string {
  if (answer === null) return "mapper/stopped";
  return answer.t === "failed" ? answer.code : `answered with "${answer.t}"`;
}

function endOf({ code, signal, error }: ChildExit): string {
  return error?.message ?? (signal === null ? `exit ${code}` : `signal ${signal}`);
}
