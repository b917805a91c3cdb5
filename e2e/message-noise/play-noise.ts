import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type MapperConnection, openContext, type PointResult, subscribes, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, defaultLine, errors } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { httpDevices } from "../../packages/mappers/http/src/index.ts";
import { mqttDevices } from "../../packages/mappers/mqtt/src/index.ts";
import { heldAt } from "./held-at.ts";

export const protocols = ["mqtt", "http"] as const;
export type Protocol = (typeof protocols)[number];

export interface NoiseVerdict {
  readonly protocol: Protocol;
  readonly seconds: number;
  readonly seed: number;
  readonly good: number;
  /** by reason */
  readonly bad: Readonly<Record<string, number>>;
  readonly opened: number;
  readonly rssEarlyMb: number;
  readonly rssEndMb: number;
  /** what should not have happened; empty when all is well */
  readonly findings: readonly string[];
}

const places = 20;
const callers = 3;
/** Longer than any call takes with its retries: then a caller hangs. */
const hungMs = 30_000;
/** Runs shorter than this are for the other checks; memory settles later. */
const rssAfterMs = 10_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
function rssMb(): number {
  // What has been let go of is not leaked, whether or not it has been collected yet.
  collectGarbage();
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Reads, subscribes and writes through a mapper while its other end makes noise, then reads once more when it is well. */
export async function playNoise(options: {
  readonly protocol: Protocol;
  readonly seconds: number;
  readonly seed: number;
}): Promise<NoiseVerdict> {
  const { protocol, seconds, seed } = options;
  const nonce = (seed * 7919) & 0xffffff;
  const peer = fork(join(import.meta.dirname, "noisy-peer.ts"), [`${nonce}`, `${seed}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(peer, "exit");
  const [ports] = (await once(peer, "message")) as [Record<Protocol, number>];
  const client = new Client(protocol, ports[protocol], nonce);
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let rssEarly = 0;
  const load = Array.from({ length: callers }, async (_, caller) => {
    for (let round = caller; elapsed() < seconds * 1000; round++) {
      await client.look();
      if (round % 5 === 0) await client.write(round % places);
      if (rssEarly === 0 && elapsed() > rssAfterMs) rssEarly = rssMb();
    }
  });
  await Promise.all(load);
  const rssEnd = rssMb();
  const { findings } = client;
  if (rssEarly > 0 && rssEnd > rssEarly * 1.1) {
    findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
  }
  const { good, opened } = client;
  const bad = { ...client.bad };
  if (good === 0) findings.push("not one value was good");
  if (Object.keys(bad).length === 0) findings.push("not one value was bad: there was no noise");
  peer.send("quiet");
  await client.recover();
  await client.close();
  peer.disconnect();
  await exited;
  return {
    ...{ protocol, seconds, seed, good, bad, opened },
    ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings },
  };
}

const path = "$.list[0].value";
const placed = { device: "d", type: "uint64" as const, custom: {}, deviceCustom: {} };
function mqttPoint(i: number) {
  const visitor = withDefaults(mqttDevices.visitor, { topic: `t/${i}`, path, setTopic: `s/${i}` });
  return { ...placed, property: `p${i}`, address: withDefaults(mqttDevices.address, {}), visitor };
}
function httpPoint(i: number) {
  const visitor = withDefaults(httpDevices.visitor, { resource: `/${i}`, path, setResource: `/${i}` });
  return { ...placed, property: `p${i}`, address: withDefaults(httpDevices.address, {}), visitor };
}

/** What mapper-host does with a mapper, in short: opens it, uses it, opens it again when it was lost. */
class Client {
  readonly findings: string[] = [];
  readonly bad: Record<string, number> = {};
  good = 0;
  opened = 0;
  readonly #protocol: Protocol;
  readonly #port: number;
  readonly #nonce: number;
  readonly #points;
  #connection: Promise<MapperConnection> | null = null;

  constructor(protocol: Protocol, port: number, nonce: number) {
    this.#protocol = protocol;
    this.#port = port;
    this.#nonce = nonce;
    this.#points = Array.from({ length: places }, (_, i) => (protocol === "mqtt" ? mqttPoint(i) : httpPoint(i)));
  }

  /** reads all, and on MQTT listens for a moment */
  async look(): Promise<void> {
    await this.#use("read", async (connection, signal) => {
      const results = await connection.read(this.#points, { signal });
      if (results.length !== places) this.#find(`${results.length} results for ${places} points`);
      for (const [i, result] of results.entries()) this.#judge(result, i);
    });
    await this.#use("subscribe", async (connection, signal) => {
      if (!subscribes(connection)) return;
      const ended = new AbortController();
      try {
        await connection.subscribe(this.#points, {
          ...{ signal, ended: ended.signal },
          each: (row, result) => this.#judge(result, row),
        });
        await new Promise((resolve) => setTimeout(resolve, 50));
      } finally {
        ended.abort();
      }
    });
  }

  async write(i: number): Promise<void> {
    await this.#use("write", (connection, signal) => connection.write(this.#points[i]!, 5n, { signal }));
  }

  /** The other end is well: at most for as long as answers may be late, some rows may still be bad. */
  async recover(): Promise<void> {
    const until = performance.now() + 20_000;
    for (;;) {
      let isWell = false;
      await this.#use("read", async (connection, signal) => {
        const results = await connection.read(this.#points, { signal });
        isWell = results.every(({ value }, i) => value === BigInt(heldAt(this.#nonce, i)));
      });
      if (isWell) return;
      if (performance.now() > until) {
        this.#find("the other end is well, and not all of it can be read");
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  #judge({ value, reason }: PointResult, i: number): void {
    if (value === null) {
      const why = reason ?? "none";
      this.bad[why] = (this.bad[why] ?? 0) + 1;
      if (!(why in errors)) this.#find(`no reason of the table: "${why}"`);
      return;
    }
    this.good++;
    if (value !== BigInt(heldAt(this.#nonce, i))) this.#find(`place ${i}: ${value}, not ${heldAt(this.#nonce, i)}`);
  }

  async #use(what: string, work: (connection: MapperConnection, signal: AbortSignal) => Promise<void>): Promise<void> {
    const hung = new AbortController();
    const timer = setTimeout(() => {
      this.#find(`a ${what} took longer than ${hungMs} ms`);
      hung.abort();
    }, hungMs);
    try {
      await work(await (this.#connection ?? this.#open()), hung.signal);
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") {
        this.#find(`a ${what} failed without a code: ${error instanceof Error ? error.stack : error}`);
      }
      this.bad[`${what} ${code}`] = (this.bad[`${what} ${code}`] ?? 0) + 1;
    } finally {
      clearTimeout(timer);
    }
  }

  #open(): Promise<MapperConnection> {
    this.opened++;
    const forget = () => {
      if (this.#connection !== opening) return;
      this.#connection = null;
      opening.then((connection) => connection.close()).catch(() => {});
    };
    const context = openContext({
      signal: AbortSignal.timeout(hungMs),
      clock: systemClock(),
      line: { ...defaultLine, timeoutMs: 60, connectTimeoutMs: 200, inFlight: 4 },
      lost: forget,
    });
    const url = `${this.#protocol}://127.0.0.1:${this.#port}`;
    // The erased types are those of the points above.
    const opening = (
      this.#protocol === "mqtt"
        ? mqttDevices.open(withDefaults(mqttDevices.connection, { url }), context)
        : httpDevices.open(withDefaults(httpDevices.connection, { url }), context)
    ) as Promise<MapperConnection>;
    opening.catch(forget);
    this.#connection = opening;
    return opening;
  }

  #find(what: string): void {
    // One fault may show in every value: the first few tell what it is.
    if (this.findings.length < 20) this.findings.push(what);
  }
}
