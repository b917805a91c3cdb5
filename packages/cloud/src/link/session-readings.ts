import { inflateRawSync } from "node:zlib";
import {
  AppError,
  addRange,
  type Epoch,
  type IngestEntry,
  type Layout,
  limits,
  missingFrom,
  type Ranges,
} from "@penstock/model";
import { checkLayout, type Readings } from "@penstock/wire";
import { type Credit, isMaterial } from "./credit.ts";
import type { CloudEffect, CloudSession, CloudStep } from "./session-state.ts";

/** Acknowledgements of one gateway stand at least this far apart; those between are merged. */
const ackEveryMs = 20;
/** A gateway that sends beyond every credit it was ever given is broken. */
const pendingBytesBound = 32 * 1024 * 1024;
/** Properties that all layouts of one session may name together. */
const layoutPropertiesBound = 1_000_000;

/** @throws AppError "link/bad-frame" when an entry breaks the protocol; the session is over then */
export function takeReadings(state: CloudSession, message: Readings): CloudStep {
  let { layouts, layoutProperties } = state;
  if (message.layouts.length > 0) {
    const more = new Map(layouts);
    for (const raw of message.layouts) {
      const layout = checkLayout(raw);
      if (!more.has(layout.id)) layoutProperties += layout.properties.length;
      more.set(layout.id, layout);
    }
    if (layoutProperties > layoutPropertiesBound)
      throw new AppError("link/bad-frame", `Cannot take layouts: more than ${layoutPropertiesBound} properties`);
    layouts = more;
  }
  const entries = message.entries.map(([firstSeq, count, layoutId, body, z]): IngestEntry => {
    const layout = layouts.get(layoutId);
    if (layout === undefined)
      throw new AppError("link/bad-frame", `Cannot take entry ${firstSeq}: layout ${layoutId} was never sent`);
    checkCount(firstSeq, count, layout);
    return { firstSeq, count, layout, body: z === 1 ? inflated(firstSeq, body) : body };
  });
  const bytes = entries.reduce((sum, entry) => sum + entry.body.length, 0);
  const pendingBytes = state.pendingBytes + bytes;
  if (pendingBytes > pendingBytesBound)
    throw new AppError("link/bad-frame", `Cannot take readings: ${pendingBytes} bytes under way, beyond any credit`);
  return {
    state: { ...state, layouts, layoutProperties, pendingBytes },
    effects: entries.length === 0 ? [] : [{ t: "submit", entries, bytes }],
  };
}

/** Merges acknowledgements that come close together into one message. */
export function committed(state: CloudSession, ranges: Ranges, now: number, credit: Credit): CloudStep {
  const merge = (into: Ranges) => ranges.reduce<Ranges>((sum, [from, to]) => addRange(sum, from, to), into);
  const merged = { ...state, held: merge(state.held), toAck: merge(state.toAck) };
  if (merged.isAckTimed) return { state: merged, effects: [] };
  const waitMs = ackEveryMs - (now - state.ackedAt) / 1000;
  if (waitMs <= 0) return sendAck(merged, now, credit);
  return { state: { ...merged, isAckTimed: true }, effects: [{ t: "ack-later", delayMs: waitMs }] };
}

export function sendAck(state: CloudSession, now: number, credit: Credit): CloudStep {
  const isNews = credit.live !== state.credit.live || credit.backlog !== state.credit.backlog;
  return {
    state: { ...state, toAck: [], isAckTimed: false, ackedAt: now, credit },
    effects: [{ t: "send", message: { t: "ack", ranges: state.toAck, ...(isNews ? { credit } : {}) } }],
  };
}

/** A credit that has grown or shrunk much while nothing was acknowledged. */
export function tellCredit(state: CloudSession, now: number, credit: Credit): CloudStep {
  return isMaterial(state.credit, credit) ? sendAck(state, now, credit) : { state, effects: [] };
}

/** What the gateway removed before it was committed is lost; every range is named once. */
export function takeDropped(state: CloudSession, lowest: number): CloudStep {
  const gap = missingFrom(state.held, 0, lowest - 1);
  if (state.hello === null) return { state, effects: [] };
  return {
    state: { ...state, held: addRange(state.held, 0, lowest - 1) },
    effects: gapAlarms(state.hello.epoch, gap),
  };
}

export function gapAlarms(epoch: Epoch, gap: Ranges): CloudEffect[] {
  return gap.map(([from, to]) => ({
    lost: { epoch, from, to },
    t: "raise",
    code: "ingest/gap",
    key: `${epoch}:${from}-${to}`,
    message: `Readings ${from}..${to} of epoch ${epoch} are lost: the gateway removed them before the cloud had them`,
  }));
}

function checkCount(firstSeq: number, count: number, layout: Layout): void {
  if (firstSeq >= 1 && count >= 1 && count <= layout.properties.length) return;
  throw new AppError(
    "link/bad-frame",
    `Cannot take entry ${firstSeq}: ${count} readings, layout ${layout.id} has ${layout.properties.length}`,
  );
}

function inflated(firstSeq: number, body: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(body, { maxOutputLength: limits.messageBytes }));
  } catch (cause) {
    throw new AppError("link/bad-frame", `Cannot inflate entry ${firstSeq}`, { cause });
  }
}
