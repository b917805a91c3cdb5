import {
  AppError,
  desiredFromJson,
  type EffectiveProperty,
  invalid,
  type Json,
  type LocalEnd,
  type LocalHold,
  type LocalReleaseAnswer,
  type LocalSetAnswer,
  limits,
  shown,
  type ValueProgress,
} from "@penstock/model";
import { progressAnswer, wantedAnswer } from "./answers.ts";
import { deviceAt, propertyOf } from "./find-device.ts";
import type { LocalSite } from "./local-site.ts";
import { durationIn, type Fields, textIn } from "./read-request.ts";
import type { Answer, Asked } from "./routes.ts";

const defaultTtlMs = 60_000;
const longestHoldMs = 365 * 24 * 3600 * 1000;

/** Sets a property here and waits for its end. @throws AppError of the reason when it ended other than written or confirmed */
export async function setHere(site: LocalSite, { params, query, body, wait }: Asked): Promise<Answer<LocalSetAnswer>> {
  const device = deviceAt(site, params.device!);
  const property = propertyOf(device, params.property!);
  if (!("value" in body)) throw invalid([{ field: "value", value: "(missing)", rule: "is required" }]);
  const waitMs = durationIn(query, "wait", { least: 0, most: limits.desiredWaitMaxMs, otherwise: 0 });
  const write = {
    ...{ device: device.uid, property: property.name, type: property.type },
    // JSON.parse gave it.
    value: desiredFromJson(property, body.value as Json),
    holder: textIn(body, "holder", { most: limits.holderChars, otherwise: `somebody at ${site.node}` }),
    ttlMs: durationIn(body, "ttl", { least: 100, most: limits.desiredTtlMaxMs, otherwise: defaultTtlMs }),
    holdMs: holdOf(property, body),
  };
  const { ended } = await site.twin.setLocally(write);
  const end = await wait(ended, waitMs);
  const wanted = site.twin.desired(device.uid).find((one) => one.property === property.name);
  const { hold, local } = wantedAnswer(wanted);
  const named = { device: device.name, property: property.name, hold };
  if (end !== null) return { status: 200, body: { ...named, ...progressAnswer(progressOf(end, named)) } };
  return { status: 202, body: { ...named, ...local! } };
}

/** What waits of the cloud goes on. */
export async function releaseHere(site: LocalSite, { params }: Asked): Promise<Answer<LocalReleaseAnswer>> {
  const device = deviceAt(site, params.device!);
  const { name: property } = propertyOf(device, params.property!);
  const released = await site.twin.release(device.uid, property);
  const wanted = site.twin.desired(device.uid).find((one) => one.property === property);
  return { status: 200, body: { device: device.name, property, released, desired: wantedAnswer(wanted).desired } };
}

/** @throws AppError twin/read-only where nothing may be set here, input/invalid where nothing holds */
function holdOf({ name, localWrites }: EffectiveProperty, body: Fields): number | null {
  if (localWrites === "refuse") {
    const rule = "its localWrites is refuse: it is set in the cloud only";
    throw new AppError("twin/read-only", `Cannot set "${name}" at the gateway: ${rule}`, {
      fields: [{ field: name, value: shown(body.value), rule }],
    });
  }
  const holdMs = durationIn(body, "hold", { least: 1000, most: longestHoldMs, otherwise: null });
  if (holdMs === null || localWrites === "hold") return holdMs;
  throw invalid([{ field: "hold", value: shown(body.hold), rule: `cannot be: localWrites of "${name}" is yield` }]);
}

function progressOf(end: LocalEnd, { property, hold }: { property: string; hold: LocalHold | null }): ValueProgress {
  const { state, type, reason, message, value: readBack, takenAt, writtenAt, time: endedAt } = end;
  if (state === "confirmed" || state === "written")
    return { ...{ state, type, value: null, reason, message, readBack }, ...{ takenAt, writtenAt, endedAt } };
  // A hold is a claim, not a result: it stands, and who made it should know.
  const held = hold === null ? "" : `; ${hold.holder} holds the property all the same, until it is released`;
  const why = `"${property}" ended ${state}: ${message ?? "no reason is known"}${held}`;
  throw new AppError(reason ?? "twin/not-confirmed", why);
}
