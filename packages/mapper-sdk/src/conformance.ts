import type { ErrorCode, Value, ValueType } from "@penstock/model";
import {
  type ConformancePart,
  caseTitle,
  conformanceParts,
  mustBePlayed,
  type NotApplicable,
  notApplicableMark,
} from "./conformance-cases.ts";
import type { AnswersByBytes, ConformanceDevice, TcpPlace } from "./conformance-device.ts";
import { codeOfRejection, Stage } from "./conformance-stage.ts";
import { checkSettings, type Mapper } from "./define-mapper.ts";
import type { Fields } from "./field.ts";
import type { Outcome } from "./rehearsal.ts";

// An assertion narrows types only through a name whose type is written out.
type Assert = typeof import("node:assert/strict");
type Given = Readonly<Record<string, unknown>>;

/** Settings and values that the kit plays with. */
interface Played<Place> {
  /** of the mapper: where its `mapper.json` stands, from which its process is started as a gateway does */
  readonly folder: string;
  /** settings of a connection to the kit's device */
  readonly connection: (device: Place) => Given;
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
  /**
   * What cannot be played, and why; shown as such wherever the suite runs and by `penstock mapper check`. A mapper that may
   * use anything outside its process has a line, and its core cases fail when they are declared away.
   */
  readonly notApplicable?: NotApplicable;
  /** why none of it can be played on this machine, such as a program that is not installed; it then counts as not passed */
  readonly skip?: string;
}

/** What the kit must know of a protocol to play its device, well and badly. */
export type ConformanceHarness<Place = TcpPlace> = Played<Place> &
  (
    | AnswersByBytes
    /** where an answer needs more than its question, such as a session, or is not on TCP: a device of the harness's own */
    | { readonly device: () => ConformanceDevice<Place> }
  );

/** Longer than any time-out of a driver. */
const longMs = 120_000;
/** of the real clock: a mapper that never ends fails its test, and what was opened for it is closed all the same */
const oneTestMs = 100_000;

/**
 * Registers the tests that every mapper must pass, with node:test: a device that is slow, wrong, broken or gone never
 * yields a wrong value, never hangs a caller, and can be used again when it is well; so it can when the mapper's process
 * was killed.
 */
export async function conformance<C extends Fields, A extends Fields, V extends Fields, Place = TcpPlace>(
  mapper: Mapper<C, A, V>,
  harness: ConformanceHarness<Place>,
): Promise<void> {
  const { test } = await import("node:test");
  const assert: Assert = (await import("node:assert/strict")).default;
  const { permissions } = mapper.manifest;
  const { notApplicable = {}, skip } = harness;

  const play = (part: ConformancePart, run: (stage: Stage<Place>) => Promise<void>) => {
    const { of, says } = conformanceParts[part];
    const why = notApplicable[part];
    const refused = why === undefined ? null : mustBePlayed(part, permissions);
    const options = {
      ...(skip !== undefined ? { skip } : why !== undefined && refused === null && { skip: notApplicableMark + why }),
    };
    test(`${caseTitle(mapper.name, of)}${says}`, options, async () => {
      assert.equal(refused, null, refused ?? "");
      const stage = new Stage(mapper as unknown as Mapper, harness); // only what all mappers share is used
      try {
        await stage.soon("The test ends", run(stage), oneTestMs);
      } finally {
        await stage.close();
      }
    });
  };
  const good = { value: harness.point.value };

  play("settings", async (stage) => {
    const { address, point, writable } = harness;
    const connection = harness.connection(await stage.listen());
    assert.deepEqual(checkSettings(mapper, { connection, address, visitor: point.visitor }), []);
    assert.deepEqual(checkSettings(mapper, { visitor: writable.visitor }), []);
    assert.equal(await stage.device.connections, 0);
  });

  play("connect", async (stage) => {
    stage.device.manner = "right";
    const connection = await stage.open();
    assert.deepEqual(await stage.read(connection), good);
    assert.equal(await stage.write(connection), "written");
  });

  play("nobody listens", async (stage) => {
    await stage.listen();
    await stage.device.close();
    assert.equal(await codeOfRejection(stage.open()), "mapper/connect-failed");
    await stage.restart();
    stage.device.manner = "right";
    assert.deepEqual(await stage.read(await stage.open()), good);
  });

  play("late answer", async (stage) => {
    const connection = await stage.open();
    stage.device.manner = "late";
    const first = stage.read(connection);
    await stage.asked(1);
    stage.clock.move(longMs);
    assert.deepEqual(await first, { code: "mapper/timeout" });
    assert.deepEqual(await stage.read(connection), good);
  });

  play("called off", async (stage) => {
    const connection = await stage.open();
    const abort = new AbortController();
    const read = stage.read(connection, abort.signal);
    await stage.asked(1);
    abort.abort();
    assert.ok("code" in (await stage.soon("The read ends", read)));
  });

  for (const part of ["wrong answer", "half answer", "garbage"] as const) {
    play(part, async (stage) => {
      let connection = await stage.open();
      stage.device.manner = part === "garbage" ? part : part === "half answer" ? "half" : "wrong";
      const read = stage.read(connection);
      await stage.asked(1);
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

  play("reconnect", async (stage) => {
    const connection = await stage.open();
    stage.device.manner = "ends";
    assert.deepEqual(await stage.soon("The read ends", stage.read(connection)), { code: "mapper/connection-lost" });
    assert.deepEqual(stage.lost, ["mapper/connection-lost"]);
    await connection.close();
    stage.device.manner = "right";
    assert.deepEqual(await stage.read(await stage.open()), good);
  });

  play("write refused", async (stage) => {
    stage.device.manner = "refuses";
    const connection = await stage.open();
    assert.equal(await stage.write(connection), harness.refusal.code);
  });

  play("unfit value", async (stage) => {
    const connection = await stage.open();
    const write = stage.write(connection, harness.writable.unfit);
    assert.equal(await stage.soon("The write ends", write), "mapper/value-out-of-range");
    assert.equal(stage.device.questions, 0);
  });

  play("close in flight", async (stage) => {
    const connection = await stage.open();
    const read = stage.read(connection);
    await stage.asked(1);
    await stage.soon("The connection is closed", connection.close());
    assert.ok("code" in (await stage.soon("The read ends", read)));
    assert.deepEqual(stage.lost, []);
    assert.ok("code" in (await stage.soon("The read ends", stage.read(connection))));
    await stage.untilNoConnection();
    // By now the driver has heard of the end too: it was its own.
    assert.deepEqual(stage.lost, []);
  });

  play("killed and restarted", async (stage) => {
    const { point, writable } = harness;
    const rehearsal = await stage.rehearse();
    const isValue = (outcome: Outcome) => "value" in outcome;
    const read = async () => rehearsal.read(await stage.rehearsed(point));
    const told = async () => {
      const first = rehearsal.subscribe(await stage.rehearsed(point));
      return stage.soon("A value is told", first);
    };
    /** Reads as cycles do until a value comes, which is the right one; is told it where devices tell; then writes. */
    const works = async () => {
      stage.device.manner = "right";
      assert.deepEqual(await stage.until("A value comes", read, isValue), good);
      if (mapper.manifest.subscribes === true)
        assert.deepEqual(await stage.until("A value is told", told, isValue), good);
      assert.equal(await rehearsal.write(await stage.rehearsed(writable), writable.value), "written");
    };
    const killedIn = async (act: "read" | "write") => {
      const before = stage.device.questions;
      stage.device.manner = "silent";
      const at = await stage.rehearsed(act === "read" ? point : writable);
      const begin = (): Promise<Outcome> =>
        act === "read" ? rehearsal.read(at) : rehearsal.write(at, writable.value).then((code) => ({ code }));
      const asked = stage.device.asked(before + 1).then(() => true);
      let ended = begin();
      const isAsked = async () => {
        await rehearsal.hear();
        if (await Promise.race([asked, ended.then(() => false)])) return true;
        ended = begin();
        return false;
      };
      await stage.until("The device is asked", isAsked, (is) => is);
      await rehearsal.kill();
      assert.deepEqual(await ended, { code: "mapper/stopped" });
      await stage.untilNoConnection();
    };
    await rehearsal.start();
    await works();
    await killedIn("write");
    // Killed again before the first answer has come.
    await rehearsal.start();
    await killedIn("read");
    await rehearsal.start();
    await works();
    assert.equal(await stage.soon("The process ends", rehearsal.stop()), "exit 0");
    await stage.untilNoConnection();
  });
}
