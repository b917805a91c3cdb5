import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, defaultLine, manifestFile, type Value, type ValueType } from "@penstock/model";
import type { ConformanceHarness } from "./conformance.ts";
import { BytesDevice, type ConformanceDevice } from "./conformance-device.ts";
import type { Mapper } from "./define-mapper.ts";
import type { MapperConnection, Point } from "./driver.ts";
import { withDefaults } from "./field.ts";
import { ManualClock } from "./manual-clock.ts";
import { openContext } from "./open-context.ts";
import { type Outcome, Rehearsal, type RehearsedPoint } from "./rehearsal.ts";

/** of the real clock: what is waited for comes within this, or it does not come */
const patienceMs = 10_000;
/** A gateway that asks again does so with its next cycle. */
const cycleMs = 50;
/** of the process that is killed: it moves by the real clock, and a test shall not wait for it */
const hurriedLine = { ...defaultLine, timeoutMs: 5000, backOffFirstMs: cycleMs, backOffLongestMs: cycleMs };

type Given = Readonly<Record<string, unknown>>;

/** One test's device, clock and connections. */
export class Stage<Place> {
  device: ConformanceDevice<Place>;
  readonly clock = new ManualClock();
  readonly lost: string[] = [];
  readonly #mapper: Mapper;
  readonly #harness: ConformanceHarness<Place>;
  readonly #opened: MapperConnection[] = [];
  #place: Place | null = null;
  #folder: string | null = null;
  #rehearsal: Rehearsal | null = null;

  constructor(mapper: Mapper, harness: ConformanceHarness<Place>) {
    this.#mapper = mapper;
    this.#harness = harness;
    this.device = deviceOf(harness);
  }

  async listen(): Promise<Place> {
    this.#place ??= await this.device.listen();
    return this.#place;
  }

  /** another device where the one before was */
  async restart(): Promise<void> {
    this.device = deviceOf(this.#harness);
    await this.device.listen((this.#place as { readonly port?: number }).port);
  }

  async open(): Promise<MapperConnection> {
    const place = await this.listen();
    await this.device.settled?.();
    const connection = await this.#mapper.open(
      withDefaults(this.#mapper.connection, this.#harness.connection(place)),
      openContext({ clock: this.clock, folder: await this.#keep(), lost: (error) => this.lost.push(error.code) }),
    );
    this.#opened.push(connection);
    return connection;
  }

  /** the mapper's own process, not yet started */
  async rehearse(): Promise<Rehearsal> {
    const { folder } = this.#harness;
    // Tests in plain JavaScript, and those made by an older kit, are not held to the types.
    if (folder === undefined) throw new Error(`conformance() must be given "folder", in which ${manifestFile} stands`);
    this.#rehearsal = new Rehearsal({ manifest: join(folder, manifestFile), folder: await this.#keep() });
    return this.#rehearsal;
  }

  /** the point for a process of its own, which knows nothing of ours */
  async rehearsed({ type, visitor }: { readonly type: ValueType; readonly visitor: Given }): Promise<RehearsedPoint> {
    const place = await this.listen();
    await this.device.settled?.();
    const { connection, address } = this.#harness;
    return { settings: connection(place), line: hurriedLine, address, type, visitor };
  }

  async read(connection: MapperConnection, signal = new AbortController().signal): Promise<Outcome> {
    try {
      const [result] = await connection.read([this.#point(this.#harness.point)], { signal });
      if (result === undefined) return { code: "no result" };
      return result.value === null ? { code: result.reason ?? "no reason" } : { value: result.value };
    } catch (error) {
      return { code: error instanceof AppError ? error.code : String(error) };
    }
  }

  async write(connection: MapperConnection, value: Value = this.#harness.writable.value): Promise<string> {
    const point = this.#point(this.#harness.writable);
    const code = await codeOfRejection(connection.write(point, value, { signal: new AbortController().signal }));
    return code === "no error" ? "written" : code;
  }

  /** Resolves when so many questions have come. @throws when they do not in 10 s */
  async asked(count: number): Promise<void> {
    await this.soon("The device is asked", this.device.asked(count));
  }

  /** For work that ends by an answer or else by a time-out: gives the answer its turn, then moves the clock. */
  async untilEnd(work: Promise<Outcome>): Promise<Outcome> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await this.device.settled?.();
      // Bytes written are read two turns of the event loop later; the clock must not overtake them.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.clock.move(1000);
    }
    return done;
  }

  /** Waits for work that ends without any clock being moved. @throws when it does not in 10 s */
  async soon<T>(what: string, work: Promise<T>, withinMs = patienceMs): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: not in ${withinMs / 1000} s`)), withinMs);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  /** Asks again and again, as a gateway's cycles do. @throws when it is not so in 10 s */
  async until<T>(what: string, ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const answer = await ask();
      if (isIt(answer)) return answer;
      if (performance.now() > end) throw new Error(`${what}: not in ${patienceMs / 1000} s; last ${shown(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, cycleMs));
    }
  }

  /** the other end may hear of it a little later */
  async untilNoConnection(): Promise<void> {
    await this.until(
      "No connection is left",
      async () => this.device.connections,
      (count) => count === 0,
    );
  }

  async close(): Promise<void> {
    await this.#rehearsal?.close();
    // One that does not end has failed its test already.
    const closed = Promise.allSettled(this.#opened.map((connection) => connection.close()));
    await this.soon("The connections are closed", closed).catch(() => {});
    await this.device.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  /** a mapper's own folder, gone with the test */
  async #keep(): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "penstock-conformance-"));
    return this.#folder;
  }

  #point({ type, visitor }: { readonly type: ValueType; readonly visitor: Given }): Point {
    return {
      device: "device",
      property: "property",
      type,
      address: withDefaults(this.#mapper.address, this.#harness.address),
      visitor: withDefaults(this.#mapper.visitor, visitor),
      custom: {},
      deviceCustom: {},
    };
  }
}

export async function codeOfRejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}

function deviceOf<Place>(harness: ConformanceHarness<Place>): ConformanceDevice<Place> {
  if ("device" in harness) return harness.device();
  // Without a device of its own a harness is one of TCP: its Place is.
  return new BytesDevice(harness) as ConformanceDevice<unknown> as ConformanceDevice<Place>;
}

function shown(answer: unknown): string {
  return typeof answer === "object"
    ? JSON.stringify(answer, (_, one) => (typeof one === "bigint" ? String(one) : one))
    : String(answer);
}
