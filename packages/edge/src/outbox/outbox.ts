import {
  AppError,
  addRange,
  type Epoch,
  hexId,
  holds,
  type Layout,
  limits,
  type OutboxEntry,
  type Ranges,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import { type Cancel, makeDurableFolder, openJournal } from "@penstock/runtime";
import { encodeBatchBody } from "@penstock/wire";
import { openAgreement } from "./agreement.ts";
import { cursorKeeper } from "./cursor-keeper.ts";
import { applyState, emptyState, firstMissing, type OutboxState, passedByAll, type StateEntry } from "./cursors.ts";
import { commitGroup } from "./group-commit.ts";
import { bytesOf, heldStats, holdsAny, lowestHeld, readingsIn } from "./held.ts";
import { layoutNumbers } from "./layouts.ts";
import { outboxMetrics, type Refusal } from "./metrics.ts";
import { nextSeq } from "./next-seq.ts";
import type { OutboxOptions, SegmentOutbox } from "./outbox-options.ts";
import { backlogReader } from "./reader.ts";
import { recentEntries } from "./recent.ts";
import { holesOf, recoverSegments } from "./recovery.ts";
import { isNoSpace, refusal } from "./refusal.ts";
import type { Segment } from "./segment.ts";
import { beginSegment, type PlacedBatch, type SegmentWriter } from "./segment-writer.ts";
import { settledAtFirst, settledByOrder } from "./settled.ts";

interface Waiting {
  readonly batch: ReadingBatch;
  readonly layout: Layout;
  readonly body: Uint8Array;
  readonly resolve: (place: { epoch: Epoch; firstSeq: number }) => void;
  readonly reject: (error: unknown) => void;
}

const link = "link";
/** One group is written and synced at once. A longer queue waits for the next. */
const groupBytes = 8 * 1024 * 1024;
/** Appends that wait for the disk. Callers wait for theirs, so only a stuck disk fills it; beyond it appends are refused. */
const waitingBytesMax = 16 * 1024 * 1024;
const recordOverheadBytes = 64;

/**
 * The outbox on segment files.
 *
 * @throws AppError outbox/corrupt when a segment in the middle is damaged; data/corrupt, data/write-failed for its cursors
 */
export async function openOutbox(options: OutboxOptions): Promise<SegmentOutbox> {
  const { files, folder, clock, random, log, bounds, policy, onAccepted } = options;
  const segmentBytes = Math.min(options.segmentBytes ?? 8 * 1024 * 1024, Math.floor(bounds.bytes / 8));
  const metrics = outboxMetrics(options.metrics);
  await makeDurableFolder(files, folder);
  const journal = await openJournal<OutboxState, StateEntry>({
    files,
    folder: `${folder}/cursors`,
    initial: emptyState,
    apply: applyState,
  });
  const saved = journal.state.passed;
  const recovered = await recoverSegments({
    files,
    folder,
    clock,
    isPassed: (from, to) => Object.keys(saved).length > 0 && passedByAll(saved, from, to),
  });
  const segments: Segment[] = [...recovered.segments];
  const layouts = layoutNumbers(recovered);
  const seqs = { ...recovered, passed: firstMissing(saved[link] ?? [], 1) - 1 };
  let next = nextSeq(seqs);
  let highest = next - 1;
  let nextOrdinal = recovered.nextOrdinal;
  const holes = holesOf(segments, next);
  const initial = Object.fromEntries(
    (options.cursors ?? [link]).map((name) => [
      name,
      holes.reduce((ranges: Ranges, [from, to]) => addRange(ranges, from, to), saved[name] ?? []),
    ]),
  );
  const cursors = cursorKeeper({ initial, journal, clock, log });
  const agreement = openAgreement({ journal, recovered: highest, isNew: journal.state.epoch === null });
  let epoch: Epoch = journal.state.epoch ?? hexId<Epoch>(random.bytes(16));
  if (journal.state.epoch === null)
    await journal.append({ t: "epoch", epoch, passed: initial, settled: settledAtFirst(seqs) });

  const recent = recentEntries({ bytes: options.cacheBytes ?? 4 * 1024 * 1024 });
  const linkPassed = () => cursors.of(link);
  const isLinkPast = (entry: OutboxEntry) => holds(linkPassed(), entry.firstSeq, entry.firstSeq + entry.count - 1);
  const reader = backlogReader({
    files,
    recent,
    view: () => ({ segments, highest, layouts: layouts.byId }),
  });
  const listeners = new Set<(highest: number) => void>();
  let writer: SegmentWriter | null = null;
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let refused = 0;
  let lack: "full" | "disk-full" | null = null;
  let isClosed = false;
  let mustSweep = false;
  let mustExpire = false;
  let working: Promise<void> | null = null;

  // ── segments ──

  async function roll(): Promise<SegmentWriter> {
    const before = writer;
    writer = null;
    await before?.close();
    writer = await beginSegment({
      files,
      folder,
      clock,
      ordinal: nextOrdinal++,
      firstSeq: next,
      nextLayout: layouts.next,
    });
    segments.push(writer.segment);
    mustSweep = true;
    return writer;
  }

  async function removeFile(segment: Segment): Promise<void> {
    await files.remove(segment.path);
    // The segment that took its tail over may go next, and must not be gone while this one comes back.
    if (segment.hasStaleTail) await files.syncFolder(folder);
  }

  /** Takes the oldest segment away; the newest stays, because its head holds the next seq. */
  async function dropOldest(why: "full" | "age"): Promise<void> {
    if (segments.length === 1) await roll();
    const oldest = segments[0]!;
    const { firstSeq: from, lastSeq: to } = oldest;
    const lost = readingsIn(oldest, linkPassed());
    // Counted first: a crash between the two leaves a file that nobody is offered any more.
    if (holdsAny(oldest)) await journal.append({ t: "dropped", from, to, readings: lost });
    if (holdsAny(oldest)) cursors.passAll(from, to);
    segments.shift();
    recent.trim(isLinkPast);
    await removeFile(oldest);
    if (lost === 0) return;
    metrics.dropped(why).add(lost);
    log.warn({ from, to, readings: lost, why }, "Dropped the oldest readings of the outbox");
  }

  async function sweep(): Promise<void> {
    mustSweep = false;
    // The newest stays, because its head holds the next seq.
    const older = segments.slice(0, -1);
    const stale = older.findIndex(
      (segment) => segment.hasStaleTail && !cursors.arePast(segment.firstSeq, segment.lastSeq),
    );
    const done = (stale < 0 ? older : older.slice(0, stale)).filter((segment) =>
      cursors.arePast(segment.firstSeq, segment.lastSeq),
    );
    if (done.length === 0) return;
    // First the cursors, so that recovery can tell a removed segment from a lost one.
    await cursors.save();
    for (const segment of done) {
      segments.splice(segments.indexOf(segment), 1);
      await removeFile(segment);
    }
    showGauges();
  }

  async function expire(): Promise<void> {
    mustExpire = false;
    const limit = clock.monotonic() - bounds.ageMs * 1000;
    const isOld = (segment: Segment) => holdsAny(segment) && segment.newest < limit;
    while (segments[0] !== undefined && isOld(segments[0])) await dropOldest("age");
  }

  function pass(cursor: string, ranges: Ranges): void {
    if (isClosed) return;
    cursors.pass(cursor, ranges, highest);
    recent.trim(isLinkPast);
    mustSweep = segments.length > 1;
    if (mustSweep) kick();
  }

  // ── appends ──

  function refuse(group: readonly Waiting[], why: Refusal, error: unknown): void {
    if (why === "full" || why === "disk-full") lack = why;
    for (const one of group) {
      refused += one.batch.count;
      metrics.refused(why).add(one.batch.count);
      one.reject(error);
    }
  }

  /** Makes room for the group by the policy. @returns those that fit */
  async function admit(group: readonly Waiting[]): Promise<Waiting[]> {
    const fitting: Waiting[] = [];
    let bytes = bytesOf(segments);
    for (const one of group) {
      const size = one.body.length + recordOverheadBytes;
      while (bytes + size > bounds.bytes && policy === "drop-oldest" && segments.some(holdsAny)) {
        lack = "full";
        await dropOldest("full");
        bytes = bytesOf(segments) + fitting.reduce((sum, each) => sum + each.body.length + recordOverheadBytes, 0);
      }
      if (bytes + size > bounds.bytes) {
        const text = `Cannot keep ${one.batch.count} readings: the outbox holds ${bytes} of ${bounds.bytes} bytes`;
        refuse([one], "full", new AppError("outbox/full", text));
      } else {
        fitting.push(one);
        bytes += size;
      }
    }
    return fitting;
  }

  function accept(current: SegmentWriter, group: readonly Waiting[], placed: readonly PlacedBatch[]): void {
    current.accept(placed);
    for (const { firstSeq, count, layout, body } of placed) {
      recent.push({ firstSeq, count, layout, body });
      next = firstSeq + count;
      metrics.appended.add(count);
    }
    highest = next - 1;
    // Well below the bound, since dropping one segment makes an eighth of it free: an alarm should not come and go.
    if (lack === "disk-full" || bytesOf(segments) <= bounds.bytes * 0.75) lack = null;
    for (const [at, { batch, resolve }] of group.entries()) {
      const { firstSeq } = placed[at]!;
      if (log.tracing)
        log.trace({ file: "edge/src/outbox/outbox.ts", id: traceId(batch), seq: firstSeq }, "Appended to the outbox");
      tell(() => onAccepted?.({ epoch, firstSeq, batch }));
      resolve({ epoch, firstSeq });
    }
    showGauges();
    for (const listener of listeners) tell(() => listener(highest));
  }

  /** A listener's failure is its own: the entries are durable, and must not be taken for refused and written again. */
  function tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      log.error({ error }, "A listener of the outbox failed");
    }
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    await agreement.beforeAppend();
    let seq = next;
    const placed = group.map(({ batch, layout, body }): PlacedBatch => {
      const firstSeq = seq;
      seq += batch.count;
      // A clock that is not trusted gives no age: after a restart the entry counts as new.
      const acceptedAt = batch.clock === null ? clock.now() : 0;
      return { firstSeq, count: batch.count, layout, acceptedAt, body };
    });
    const old = writer !== null && clock.monotonic() - writer.segment.begun > (bounds.ageMs * 1000) / 8;
    const current = writer?.isUsable && !old && writer.segment.bytes < segmentBytes ? writer : await roll();
    const started = clock.monotonic();
    await commitGroup({
      write: () => current.write(placed),
      sync: () => current.sync(),
      accept: () => accept(current, group, placed),
    });
    metrics.commitSeconds.observe((clock.monotonic() - started) / 1e6);
  }

  async function commitNext(): Promise<void> {
    let bytes = 0;
    let taken = 0;
    while (taken < waiting.length && bytes < groupBytes) bytes += waiting[taken++]!.body.length;
    let group = waiting.slice(0, taken);
    waiting = waiting.slice(taken);
    waitingBytes -= bytes;
    try {
      group = await admit(group);
      if (group.length === 0) return;
      try {
        await commit(group);
      } catch (error) {
        if (isNoSpace(error)) throw error;
        // Once more from memory, into a new segment whose head takes over from the one that failed.
        log.warn({ error }, "The disk refused a write or a sync of the outbox: writing it again to a new segment");
        await roll();
        await commit(group);
      }
    } catch (cause) {
      const { why, error } = refusal(folder, cause);
      refuse(group, why, error);
    }
  }

  async function work(): Promise<void> {
    while (waiting.length > 0 || mustSweep || mustExpire) {
      try {
        if (mustExpire) await expire();
        if (mustSweep) await sweep();
      } catch (error) {
        log.error({ error }, "Cannot remove segments of the outbox");
      }
      if (waiting.length > 0) await commitNext();
    }
    working = null;
  }
  function kick(): void {
    working ??= Promise.resolve().then(work);
  }

  function showGauges(): void {
    metrics.bytes.set(bytesOf(segments));
    metrics.readings.set(segments.reduce((sum, segment) => sum + readingsIn(segment, linkPassed()), 0));
  }

  const expireEveryMs = Math.max(10, Math.min(60_000, bounds.ageMs / 8));
  let cancelExpire: Cancel = clock.after(expireEveryMs, function again() {
    mustExpire = true;
    kick();
    cancelExpire = clock.after(expireEveryMs, again);
  });
  mustExpire = true;
  mustSweep = true;
  kick();
  await working;
  showGauges();

  return {
    bounds: () => ({
      epoch,
      lowest: lowestHeld(segments, linkPassed()) ?? highest + 1,
      highest,
      recovered: agreement.mark,
      agreed: agreement.isReached,
      settled: journal.state.settled ?? null,
    }),
    stats: () => ({
      ...heldStats(segments, linkPassed(), clock.monotonic()),
      dropped: journal.state.dropped,
      refused,
      full: lack !== null,
      diskFull: lack === "disk-full",
    }),
    read: (from, maxBytes) => reader.read(from, maxBytes, linkPassed),
    readFor: (cursor, from, maxBytes) => reader.read(from, maxBytes, () => cursors.of(cursor)),
    onDurable: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    acknowledge: (ranges) => pass(link, ranges),
    pass,
    agree: () => agreement.reach(),
    newEpoch: async (held) => {
      const order = settledByOrder({ before: journal.state.settled ?? null, held, recovered: agreement.mark });
      const made = hexId<Epoch>(random.bytes(16));
      // Held is held, whatever becomes of the epoch; and no save of the cursors may come between that lacks it.
      pass(link, order.passed);
      await journal.append({ t: "epoch", epoch: made, passed: cursors.passed, settled: order.settled });
      epoch = made;
      await agreement.reach();
      log.info({ epoch }, "The outbox has a new epoch");
      return made;
    },
    append: (batch) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new AppError("aborted", "Cannot append to the outbox: it is closed"));
        if (batch.count === 0) return resolve({ epoch, firstSeq: next });
        const layout = layouts.numbered(batch.layout);
        const one = { batch, layout, body: encodeBatchBody(batch), resolve, reject };
        if (one.body.length > limits.batchBytes) {
          // The link could never send it, and everything behind it would wait for ever.
          const text = `Cannot keep ${batch.count} readings of device ${layout.device}: ${one.body.length} bytes, limit ${limits.batchBytes}`;
          refuse([one], "too-large", new AppError("input/too-large", text));
          return;
        }
        if (waitingBytes + one.body.length > waitingBytesMax) {
          refuse(
            [one],
            "full",
            new AppError("outbox/full", `Cannot keep ${batch.count} readings: the disk is too slow`),
          );
          return;
        }
        waiting.push(one);
        waitingBytes += one.body.length;
        kick();
      }),
    close: async () => {
      isClosed = true;
      cancelExpire();
      while (working !== null) await working;
      await cursors.save();
      await reader.close();
      await writer?.close();
      writer = null;
      await journal.close();
    },
  };
}
