import { AppError, type ErrorCode, type Value, type ValueType } from "@penstock/model";
import { type AnswersByBytes, BytesDevice, type ConformanceDevice } from "./conformance-device.ts";
import { checkSettings, type Mapper } from "./define-mapper.ts";
import type { MapperConnection, Point } from "./driver.ts";
import { type Fields, withDefaults } from "./field.ts";
import { ManualClock } from "./manual-clock.ts";
import { openContext } from "./open-context.ts";

// An assertion narrows types only through a name whose type is written out.
type Assert = typeof import("node:assert/strict");
type Given = Readonly<Record<string, unknown>>;

/** Settings and values that the kit plays with. */
interface Played {
  /** settings of a connection to the kit's device */
  readonly connection: (device: { readonly host: string; readonly port: number }) => Given;
  readonly address: Given;
  /** a point, and the value that a right answer gives it */
  readonly point: { readonly type: ValueType; readonly visitor: Given; readonly value: Value };
  /** a point, a value that fits, and one that does not fit what the device holds */
  readonly writable: {
    readonly type: ValueType;
    readonly visitor: Given;
    readonly value: Value;
    readonly unfit: Value;
  };
  /** the device refuses the write */
  readonly refusal: { readonly code: ErrorCode };
}

/** What the kit must know of a protocol over TCP to play its device, well and badly. */
export type ConformanceHarness =
  | (Played & AnswersByBytes)
  /** where an answer needs more than its question, such as a session: a device of the harness's own */
  | (Played & { readonly device: () => ConformanceDevice });

/** Longer than any time-out of a driver. */
const longMs = 120_000;

/**
 * Registers the tests that every mapper over TCP must pass, with node:test: a device that is slow, wrong, broken or gone
 * never yields a wrong value, never hangs a caller, and can be used again when it is well.
 */
export async function conformance<C extends Fields, A extends Fields, V extends Fields>(
  mapper: Mapper<C, A, V>,
  harness: ConformanceHarness,
): Promise<void> {
  const { test } = await import("node:test");
  const assert: Assert = (await import("node:assert/strict")).default;

  const play = (name: string, run: (stage: Stage) => Promise<void>) =>
    test(`${mapper.name}: ${name}`, async () => {
      const stage = new Stage(mapper as unknown as Mapper, harness); // only what all mappers share is used
      try {
        await run(stage);
      } finally {
        await stage.close();
      }
    });
  const good = { value: harness.point.value };

  play("the kit's own settings pass its check, and checking opens nothing", async (stage) => {
    const { address, point, writable } = harness;
    const connection = harness.connection(await stage.listen());
    assert.deepEqual(checkSettings(mapper, { connection, address, visitor: point.visitor }), []);
    assert.deepEqual(checkSettings(mapper, { visitor: writable.visitor }), []);
    assert.equal(stage.device.connections, 0);
  });

  play("connects, reads and writes", async (stage) => {
    stage.device.manner = "right";
    const connection = await stage.open();
    assert.deepEqual(await stage.read(connection), good);
    assert.equal(await stage.write(connection), "written");
  });

  play("open fails while nobody listens, and works when somebody does", async (stage) => {
    const { port } = await stage.listen();
    await stage.device.close();
    assert.equal(await codeOfRejection(stage.open(port)), "mapper/connect-failed");
    await stage.restart(port);
    stage.device.manner = "right";
    assert.deepEqual(await stage.read(await stage.open(port)), good);
  });

  play("a device that says nothing costs a time-out, and its late answer is nobody's", async (stage) => {
    const connection = await stage.open();
    stage.device.manner = "late";
    const first = stage.read(connection);
    await stage.device.asked(1);
    stage.clock.move(longMs);
    assert.deepEqual(await first, { code: "mapper/timeout" });
    assert.deepEqual(await stage.read(connection), good);
  });

  play("an aborted read ends at once though the device says nothing", async (stage) => {
    const connection = await stage.open();
    const abort = new AbortController();
    const read = stage.read(connection, abort.signal);
    await stage.device.asked(1);
    abort.abort();
    assert.ok("code" in (await read));
  });

  for (const [what, manner] of [
    ["an answer to another question", "wrong"],
    ["garbage", "garbage"],
    ["half an answer", "half"],
  ] as const) {
    play(`${what} is no value, and does no harm later`, async (stage) => {
      let connection = await stage.open();
      stage.device.manner = manner;
      const read = stage.read(connection);
      await stage.device.asked(1);
      const ended = await stage.untilEnd(read);
      assert.ok("code" in ended && ended.code.startsWith("mapper/"), JSON.stringify(ended));
      stage.device.manner = "right";
      // What came too early may still stand before the next answer: then that is no value either, or it is right.
      const next = await stage.untilEnd(stage.read(connection));
      if ("value" in next) assert.deepEqual(next, good);
      await connection.close();
      connection = await stage.open();
      assert.deepEqual(await stage.read(connection), good);
    });
  }

  play("a connection that the device ends is told, and can be opened again", async (stage) => {
    const connection = await stage.open();
    stage.device.manner = "ends";
    assert.deepEqual(await stage.read(connection), { code: "mapper/connection-lost" });
    assert.deepEqual(stage.lost, ["mapper/connection-lost"]);
    await connection.close();
    stage.device.manner = "right";
    assert.deepEqual(await stage.read(await stage.open()), good);
  });

  play("a write that the device refuses fails with the device's reason", async (stage) => {
    const connection = await stage.open();
    stage.device.manner = "refuses";
    assert.equal(await stage.write(connection), harness.refusal.code);
  });

  play("a value that does not fit is refused before anything is sent", async (stage) => {
    const connection = await stage.open();
    assert.equal(await stage.write(connection, harness.writable.unfit), "mapper/value-out-of-range");
    assert.equal(stage.device.questions, 0);
  });

  play("close ends what is in flight, tells nobody of a loss, and leaves no socket", async (stage) => {
    const connection = await stage.open();
    const read = stage.read(connection);
    await stage.device.asked(1);
    await connection.close();
    assert.ok("code" in (await read));
    assert.deepEqual(stage.lost, []);
    assert.ok("code" in (await stage.read(connection)));
  });
}

type Outcome = { readonly value: Value } | { readonly code: ErrorCode | string };

async function codeOfRejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}

function deviceOf(harness: ConformanceHarness): ConformanceDevice {
  return "device" in harness ? harness.device() : new BytesDevice(harness);
}

/** One test's device, clock and connections. */
class Stage {
  device: ConformanceDevice;
  readonly clock = new ManualClock();
  readonly lost: string[] = [];
  readonly #mapper: Mapper;
  readonly #harness: ConformanceHarness;
  readonly #opened: MapperConnection[] = [];
  #port = 0;
  #folder: string | null = null;

  constructor(mapper: Mapper, harness: ConformanceHarness) {
    this.#mapper = mapper;
    this.#harness = harness;
    this.device = deviceOf(harness);
  }

  async listen(): Promise<{ host: string; port: number }> {
    if (this.#port === 0) this.#port = (await this.device.listen()).port;
    return { host: "127.0.0.1", port: this.#port };
  }

  async restart(port: number): Promise<void> {
    this.device = deviceOf(this.#harness);
    await this.device.listen(port);
  }

  async open(port?: number): Promise<MapperConnection> {
    const server = port === undefined ? await this.listen() : { host: "127.0.0.1", port };
    const connection = await this.#mapper.open(
      withDefaults(this.#mapper.connection, this.#harness.connection(server)),
      openContext({ clock: this.clock, folder: await this.#keep(), lost: (error) => this.lost.push(error.code) }),
    );
    this.#opened.push(connection);
    return connection;
  }

  /** a mapper's own folder, gone with the test */
  async #keep(): Promise<string> {
    if (this.#folder === null) {
      const [{ mkdtemp }, { tmpdir }, { join }] = await Promise.all([
        import("node:fs/promises"),
        import("node:os"),
        import("node:path"),
      ]);
      this.#folder = await mkdtemp(join(tmpdir(), "penstock-conformance-"));
    }
    return this.#folder;
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

  /** For work that ends by an answer or else by a time-out: gives the answer its turn, then moves the clock. */
  async untilEnd(work: Promise<Outcome>): Promise<Outcome> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      // Bytes written are read two turns of the event loop later; the clock must not overtake them.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.clock.move(1000);
    }
    return done;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((connection) => connection.close()));
    await this.device.close();
    if (this.#folder !== null) {
      await (await import("node:fs/promises")).rm(this.#folder, { recursive: true, force: true });
    }
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
