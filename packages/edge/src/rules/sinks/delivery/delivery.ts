import { AppError, isRetriable } from "@penstock/model";
import type { Cancel } from "@penstock/runtime";
import { turnAt } from "../cache/folder-turns.ts";
import { openResultCache, type ResultCache } from "../cache/result-cache.ts";
import type { RuleOutput, Sink } from "../sink.ts";
import type { SinkParts } from "../sink-parts.ts";
import { addRows, type BatchedRow, batchDue, emptyBatch, flushBatch } from "./batching.ts";
import type { Courier, Refusal } from "./courier.ts";
import { deadLetters } from "./dead-letter.ts";
import * as machine from "./delivery-machine.ts";
import { deliveryMetrics } from "./delivery-metrics.ts";
import { batchSettings, cacheBytesOf, type DeliverySpec, deliverySettings } from "./delivery-settings.ts";
import { decodeParcel, encodeParcel } from "./parcel-record.ts";
import { type Shipment, shipmentOf, Waiting } from "./shipment.ts";
import { Takes } from "./takes.ts";

export interface DeliveryOptions {
  /** of the action: "http" */
  readonly kind: string;
  readonly spec: DeliverySpec;
  readonly courier: Courier;
  readonly parts: SinkParts;
}

/** what is in flight may end by itself so long after `close` */
const closeMs = 2_000;

/**
 * An action to the outside: batches, one message in flight, another try after a pause, the disk meanwhile. What decides is
 * `delivery-machine.ts`; this carries it out.
 *
 *   take ─▶ batch ─▶ waiting ─┬─▶ courier ─▶ peer
 *                             └─▶ cache ──────▲
 */
export class Delivery implements Sink {
  readonly #options: DeliveryOptions;
  readonly #settings: machine.DeliverySettings;
  readonly #batching: ReturnType<typeof batchSettings>;
  readonly #metrics: ReturnType<typeof deliveryMetrics>;
  readonly #publishDead: ReturnType<typeof deadLetters>;
  readonly #abort = new AbortController();
  readonly #opened: Promise<void>;
  readonly #waiting = new Waiting();
  readonly #takes = new Takes();
  /** how often cached ones were tried, where that is bounded */
  readonly #tries = new Map<string, number>();
  #cache: ResultCache | null = null;
  #leaveFolder = () => {};
  /** before that nobody knows what goes first */
  #isOpen = false;
  #batch = emptyBatch;
  #state = machine.idleDelivery;
  #inFlight: Shipment | null = null;
  #storing: Promise<void> = Promise.resolve();
  #cancelWake: Cancel = () => {};
  #cancelLinger: Cancel = () => {};
  #whenAtRest: (() => void) | null = null;

  constructor(options: DeliveryOptions) {
    const { spec, kind, courier, parts } = options;
    this.#options = options;
    this.#settings = deliverySettings(spec);
    this.#batching = batchSettings(spec, courier.takesMany);
    this.#metrics = deliveryMetrics(parts.metrics, { rule: parts.rule, action: `${parts.action}-${kind}` });
    this.#publishDead = deadLetters(spec.deadLetter, kind, parts, () => this.#metrics.deadLetterLost());
    this.#opened = this.#open();
  }

  take(output: RuleOutput): Promise<void> {
    const { courier } = this.#options;
    return new Promise((done) => {
      const take = this.#takes.begin(output.rows.length, done);
      const rows: BatchedRow[] = [];
      for (const row of output.rows) {
        const one = { row, time: output.time, take };
        try {
          rows.push({ ...one, address: courier.addressOf(row) });
        } catch (error) {
          this.#giveUp([one], textOf(error));
        }
      }
      const { state, bundles } = addRows(this.#batching, this.#batch, rows, this.#now());
      this.#batch = state;
      for (const bundle of bundles) this.#waiting.push(shipmentOf(bundle));
      this.#armLinger();
      this.#turn();
    });
  }

  /** What could not be delivered and has no cache stays unsettled: where rules replay, the next start computes it again. */
  async close(): Promise<void> {
    const { clock } = this.#options.parts;
    await this.#opened;
    this.#flush();
    const atRest = new Promise<void>((resolve) => {
      this.#whenAtRest = resolve;
    });
    this.#state = { ...this.#state, closeBy: this.#now() + closeMs };
    const cancel = clock.after(closeMs, () => this.#abort.abort(new AppError("aborted", "The action ends")));
    this.#turn();
    await atRest;
    cancel();
    this.#cancelWake();
    this.#metrics.dropped("closed", this.#waiting.rows);
    await this.#options.courier.close();
    await this.#cache?.close().finally(() => this.#leaveFolder());
    this.#metrics.cached(0, 0);
  }

  async #open(): Promise<void> {
    const { spec, kind, parts } = this.#options;
    const { files, log, uid, action } = parts;
    const bytes = cacheBytesOf(spec);
    const folder = `${parts.folder}/cache/${uid}/${action}-${kind}`;
    try {
      const onDamage = (path: string, reason: string) => {
        this.#metrics.dropped("damaged", 1);
        log.warn({ path, reason }, "What an action had cached cannot all be read");
      };
      if (bytes !== null) this.#leaveFolder = await turnAt(files, folder);
      if (bytes !== null) this.#cache = await openResultCache({ files, folder, bytes, onDamage });
    } catch (error) {
      this.#leaveFolder();
      log.error({ error, folder }, "An action cannot use its cache, and goes on without");
      parts.failed(textOf(error));
    }
    this.#isOpen = true;
    this.#turn();
  }

  #now(): number {
    return this.#options.parts.clock.monotonic() / 1000;
  }
  #world(): machine.World {
    const { count, bytes } = this.#waiting;
    return { at: this.#now(), waiting: count, waitingBytes: bytes, cached: this.#cache?.records ?? 0 };
  }

  #armLinger(): void {
    this.#cancelLinger();
    const due = batchDue(this.#batching, this.#batch);
    if (due === null) return;
    this.#cancelLinger = this.#options.parts.clock.after(Math.max(0, due - this.#now()), () => {
      this.#flush();
      this.#turn();
    });
  }
  #flush(): void {
    this.#cancelLinger();
    for (const bundle of flushBatch(this.#batch)) this.#waiting.push(shipmentOf(bundle));
    this.#batch = emptyBatch;
  }

  /** Decides and acts; called whenever something has happened. */
  #turn(): void {
    if (!this.#isOpen) {
      this.#dropOver();
      return;
    }
    this.#cancelWake();
    const settings = { ...this.#settings, hasCache: this.#cache !== null };
    const { state, acts } = machine.decide(settings, this.#state, this.#world());
    this.#state = state;
    for (const act of acts) this.#do(act);
    this.#metrics.cached(this.#cache?.records ?? 0, this.#cache?.bytes ?? 0);
    if (this.#whenAtRest !== null && machine.isAtRest(settings, this.#state, this.#world())) this.#whenAtRest();
  }

  #do(act: machine.Act): void {
    switch (act.t) {
      case "store":
        this.#storing = this.#store(this.#waiting.takeAll());
        break;
      case "drop":
        this.#dropOver();
        break;
      case "send":
        void this.#send(act.from);
        break;
      case "wake":
        this.#cancelWake = this.#options.parts.clock.after(Math.max(1, act.at - this.#now()), () => this.#turn());
    }
  }

  #dropOver(): void {
    const { queueParcels, queueBytes } = this.#settings;
    while (this.#waiting.count > 1 && (this.#waiting.count > queueParcels || this.#waiting.bytes > queueBytes)) {
      const { rows } = this.#waiting.shift()!;
      this.#metrics.dropped("queue-full", rows.length);
      this.#takes.settle(rows);
    }
  }

  async #store(waiting: readonly Shipment[]): Promise<void> {
    const cache = this.#cache!;
    const { log, parts } = { log: this.#options.parts.log, parts: this.#options.parts };
    const ahead = this.#inFlight;
    // Should it come back, it is still the first: it is older than all that waits.
    const isAhead = this.#settings.order === "oldest-first" && ahead !== null && ahead.key === null;
    const shipments = isAhead ? [ahead, ...waiting] : waiting;
    const encoded = shipments.map((shipment) => ({
      shipment,
      record: { rows: shipment.rows.length, bytes: encodeParcel(shipment) },
    }));
    const kept = encoded.filter(({ record }) => record.bytes.length <= cache.recordBytesMax);
    try {
      const { keys, cutRows } = await cache.append(kept.map(({ record }) => record));
      for (const [i, { shipment }] of kept.entries()) {
        shipment.key = keys[i]!;
        this.#metrics.stored(shipment.rows.length);
        this.#takes.settle(shipment.rows);
      }
      for (const { shipment } of encoded) {
        if (shipment.key !== null || shipment === ahead) continue;
        this.#metrics.dropped("too-large", shipment.rows.length);
        this.#takes.settle(shipment.rows);
      }
      this.#metrics.dropped("cache-full", cutRows);
      this.#state = machine.noteStored(this.#state, { isOk: true, at: this.#now() });
    } catch (error) {
      log.warn({ error }, "An action cannot write its cache");
      parts.failed(textOf(error));
      this.#waiting.putBack(waiting);
      this.#state = machine.noteStored(this.#state, { isOk: false, at: this.#now() });
    }
    this.#turn();
  }

  async #send(from: machine.From): Promise<void> {
    const shipment = from === "memory" ? this.#waiting.shift()! : await this.#fromCache();
    if (shipment === null) {
      this.#fail(null, "the cache cannot be read");
      return;
    }
    this.#inFlight = shipment;
    let refusals: readonly Refusal[] | null = null;
    let failure: unknown = null;
    try {
      refusals = await this.#options.courier.send(shipment, this.#abort.signal);
    } catch (error) {
      failure = error;
    }
    // Then it is known whether this one is on the disk too.
    await this.#storing;
    this.#inFlight = null;
    if (refusals === null && (isRetriable(failure) || this.#abort.signal.aborted)) {
      this.#fail(shipment, textOf(failure));
      return;
    }
    if (this.#state.failures > 0) this.#options.parts.log.info({}, "The peer of an action can be reached again");
    if (refusals === null) this.#giveUp(shipment.rows, textOf(failure));
    else this.#arrived(shipment, refusals);
    await this.#forget(shipment);
    this.#state = machine.noteAnswer(this.#state);
    this.#turn();
  }

  async #fromCache(): Promise<Shipment | null> {
    try {
      const record = await this.#cache!.next(this.#settings.order);
      if (record === null) return null;
      const { tries, ...parcel } = decodeParcel(record.bytes);
      const { key } = record;
      return {
        ...parcel,
        key,
        bytes: record.bytes.length,
        tries: this.#tries.get(`${key.segment}/${key.at}`) ?? tries,
      };
    } catch (error) {
      this.#options.parts.log.warn({ error }, "An action cannot read its cache");
      return null;
    }
  }

  #arrived({ rows }: Shipment, refusals: readonly Refusal[]): void {
    const refused = new Set(refusals.map(({ at }) => at));
    for (const { at, reason } of refusals) this.#giveUp(rows.slice(at, at + 1), reason);
    const taken = rows.filter((_, at) => !refused.has(at));
    this.#metrics.delivered(taken.length);
    this.#takes.settle(taken);
  }

  #fail(shipment: Shipment | null, reason: string): void {
    const { parts } = this.#options;
    if (this.#state.failures === 0) {
      parts.log.warn({ reason }, "The peer of an action cannot be reached; it is tried again");
      parts.failed(reason);
    }
    this.#metrics.retried();
    const tries = (shipment?.tries ?? 0) + 1;
    const { state, isOver } = machine.noteFailure(this.#settings, this.#state, {
      ...{ tries, at: this.#now(), chance: parts.random.number() },
    });
    this.#state = state;
    if (shipment === null) this.#turn();
    else if (isOver) {
      this.#giveUp(shipment.rows, `tried ${tries} times: ${reason}`);
      void this.#forget(shipment).then(() => this.#turn());
    } else {
      shipment.tries = tries;
      if (shipment.key === null) this.#waiting.putBack([shipment]);
      else if (this.#settings.attempts !== null) this.#tries.set(`${shipment.key.segment}/${shipment.key.at}`, tries);
      this.#turn();
    }
  }

  async #forget({ key }: Shipment): Promise<void> {
    if (key === null) return;
    this.#tries.delete(`${key.segment}/${key.at}`);
    await this.#cache!.remove(key);
  }

  #giveUp(rows: Shipment["rows"], reason: string): void {
    const { parts } = this.#options;
    this.#metrics.givenUp(rows.length);
    parts.log.debug({ rows: rows.length, reason }, "Rows of a rule are given up");
    parts.failed(reason);
    void this.#publishDead(rows, reason);
    this.#takes.settle(rows);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
