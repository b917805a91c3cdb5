import {
  AppError,
  type BootId,
  batchFromSamples,
  type ErrorCode,
  flagBad,
  flagGood,
  flagNull,
  flagUncertain,
  isErrorCode,
  type Layout,
  type Micros,
  qualityMask,
  type ReadingBatch,
  readingsOf,
} from "@penstock/model";
import { decodeBatchBody } from "@penstock/wire";
import { isSilence } from "./presence.ts";
import type { Outcome } from "./schedule-types.ts";

/** Wall time of a monotonic time, both in microseconds; `uncertain` names the boot while the clock is not trusted. */
export type WallOf = (monotonic: number) => { readonly time: Micros; readonly uncertain: BootId | null };

/** Beyond this a mapper's times are not those of the read: it must not date readings as it likes. */
const slackUs = 1_000_000;

/**
 * A mapper's answer to a read as a batch: monotonic times become wall time, and a property that it left out gets a row
 * with quality bad.
 *
 * @param options.sentAt when it was asked, `options.now` when the answer came; monotonic microseconds
 * @throws AppError mapper/bad-answer when the body is not one of this layout and time
 */
export function batchFromMapper(options: {
  readonly layout: Layout;
  readonly body: Uint8Array;
  readonly sentAt: number;
  readonly now: number;
  readonly wallOf: WallOf;
}): ReadingBatch {
  const { layout, body, sentAt, now, wallOf } = options;
  let batch: ReadingBatch;
  try {
    batch = decodeBatchBody(layout, body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("mapper/bad-answer", `Cannot use the mapper's values: ${why}`, { cause });
  }
  if (batch.count < layout.properties.length) batch = completed(batch, now);
  for (const offset of batch.offsets ?? [0]) {
    const time = batch.baseTime + offset;
    if (time < sentAt - slackUs || time > now + slackUs) {
      const range = `${sentAt}..${now}`;
      throw new AppError("mapper/bad-answer", `Cannot use the mapper's values: time ${time}, want one in ${range} us`);
    }
  }
  return onTheWall(batch, wallOf);
}

/** Every property of the layout: value null, quality bad, this reason. */
export function badBatch(layout: Layout, code: ErrorCode, monotonic: number, wallOf: WallOf): ReadingBatch {
  let byCode = badTemplates.get(layout);
  if (byCode === undefined) {
    byCode = new Map();
    badTemplates.set(layout, byCode);
  }
  let template = byCode.get(code);
  if (template === undefined) {
    template = batchFromSamples({
      layout,
      samples: layout.properties.map(({ name }) => badSample(name, code, 0)),
    }).batch;
    byCode.set(code, template);
  }
  return onTheWall({ ...template, baseTime: monotonic as Micros }, wallOf);
}
// A dead device gives the same rows at every cycle; they are immutable, so they are made once.
const badTemplates = new WeakMap<Layout, Map<ErrorCode, ReadingBatch>>();

/**
 * What a mapper also says of a value that it did not ask the device for: settings that make no sense, and addresses that
 * were refused before. Beside silence it is no sign of life.
 */
const unasked: ReadonlySet<ErrorCode> = new Set(["mapper/bad-address", "mapper/unsupported", "input/invalid"]);

/** One good value is an answer. Nothing but silence = nobody answered; else the first other reason tells what the device said. */
export function outcomeOf(batch: ReadingBatch): Outcome {
  const { flags, reasonIndex, reasons } = batch;
  const answered = { code: null, message: null, hasRows: true };
  if (flags === null || batch.count === 0) return answered;
  let silence: ErrorCode | null = null;
  let first: ErrorCode | null = null;
  let hasAnswered = false;
  for (let r = 0; r < batch.count; r++) {
    if ((flags[r]! & qualityMask) !== flagBad) return answered;
    const reason = reasons[(reasonIndex?.[r] ?? 0) - 1];
    const code = isErrorCode(reason) ? reason : "mapper/bad-answer";
    if (isSilence(code)) silence ??= code;
    else {
      first ??= code;
      hasAnswered ||= !unasked.has(code);
    }
  }
  return { code: hasAnswered ? first : (silence ?? first), message: null, hasRows: true };
}

function completed(batch: ReadingBatch, now: number): ReadingBatch {
  const samples = readingsOf(batch);
  const given = new Set(samples.map(({ property }) => property));
  const missing = batch.layout.properties.filter(({ name }) => !given.has(name));
  const bad = missing.map(({ name }) => badSample(name, "mapper/bad-answer", samples[0]?.time ?? now));
  return batchFromSamples({ layout: batch.layout, samples: [...samples, ...bad] }).batch;
}

function badSample(property: string, reason: ErrorCode, time: number) {
  return { property, time: time as Micros, value: null, quality: "bad", reason } as const;
}

export function onTheWall(batch: ReadingBatch, wallOf: WallOf): ReadingBatch {
  const { time, uncertain } = wallOf(batch.baseTime);
  if (uncertain === null) return { ...batch, baseTime: time, clock: null };
  const clock = { boot: uncertain, monotonic: batch.baseTime };
  const flags = batch.flags?.slice() ?? new Uint8Array(batch.count).fill(flagGood);
  if (!flags.some((flag) => (flag & qualityMask) === flagGood)) return { ...batch, baseTime: time, clock };
  const known = batch.reasons.indexOf("clock/not-set");
  const reasons = known < 0 ? [...batch.reasons, "clock/not-set" as const] : batch.reasons;
  const reasonIndex = batch.reasonIndex?.slice() ?? new Uint8Array(batch.count);
  for (let r = 0; r < batch.count; r++) {
    if ((flags[r]! & qualityMask) !== flagGood) continue;
    flags[r] = flagUncertain | (flags[r]! & flagNull);
    reasonIndex[r] = known < 0 ? reasons.length : known + 1;
  }
  return { ...batch, baseTime: time, flags, reasonIndex, reasons, clock };
}
