import { AppError, type MapperManifest, manifestFile, parseManifest, shown } from "@penstock/model";
import type { MapperFinding } from "./check-finding.ts";
import { manifestText } from "./define-mapper.ts";
import { sdkVersion } from "./driver.ts";

const what = "manifest";
/** What devices may state: when it changes, those that are there may not fit any more. */
const stated = ["connection", "address", "visitor", "method", "custom", "rules", "shorthands"] as const;
const mostDifferences = 5;

/** Rules that a manifest breaks, whatever was written before; none when gateways can have it. */
export function checkRulesOfManifest(manifest: MapperManifest): MapperFinding[] {
  return [...brokenRules(manifest), ...wrongKit(manifest)];
}

/** Holds the `mapper.json` that was written before against what the mapper says of itself now. */
export function checkWritten(manifest: MapperManifest, written: string | null): MapperFinding[] {
  const file = manifestFile;
  if (written === null)
    return [{ level: "missing", what, field: file, value: "(missing)", rule: "must be there: --write writes it" }];
  const text = manifestText({ manifest });
  const named = `${manifest.name} ${manifest.version}`;
  if (written === text) return [{ level: "ok", what, field: file, value: named, rule: "says what the mapper says" }];
  const before = asJson(written);
  const found = [...differences(before, JSON.parse(text), file)];
  if (found.length === 0) found.push({ field: file, value: "other text", rule: "must be written by the kit: --write" });
  return [
    ...found.slice(0, mostDifferences).map((one): MapperFinding => ({ ...one, level: "missing", what })),
    ...sameVersion(manifest, before),
  ];
}

function brokenRules(manifest: MapperManifest): MapperFinding[] {
  try {
    parseManifest(manifestText({ manifest }));
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const whole = { field: "mapper.json", value: manifest.name, rule: error.message };
    return (error.fields.length > 0 ? error.fields : [whole]).map((one) => ({ ...one, level: "missing", what }));
  }
}

function wrongKit({ sdk }: MapperManifest): MapperFinding[] {
  if (sdk.min <= sdkVersion.max && sdk.max >= sdkVersion.min) return [];
  const rule = `must include one of ${sdkVersion.min}..${sdkVersion.max}, which this Penstock has`;
  return [{ level: "missing", what: "kit", field: "mapper.json.sdk", value: `${sdk.min}..${sdk.max}`, rule }];
}

function sameVersion(manifest: MapperManifest, before: unknown): MapperFinding[] {
  if (typeof before !== "object" || before === null) return [];
  const old = before as Partial<MapperManifest>;
  const isSame = stated.every((key) => JSON.stringify(old[key]) === JSON.stringify(manifest[key]));
  if (isSame || old.name !== manifest.name || old.version !== manifest.version) return [];
  const rule = "must change with what devices may state, once gateways have the mapper";
  return [{ level: "note", what, field: "mapper.json.version", value: `"${manifest.version}"`, rule }];
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Where two differ, the leaves with what the second has. */
function* differences(
  before: unknown,
  now: unknown,
  field: string,
): Generator<{ readonly field: string; readonly value: string; readonly rule: string }> {
  const isMap = (one: unknown): one is Record<string, unknown> => typeof one === "object" && one !== null;
  if (isMap(before) && isMap(now) && Array.isArray(before) === Array.isArray(now)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)]))
      yield* differences(before[key], now[key], `${field}.${key}`);
  } else if (JSON.stringify(before) !== JSON.stringify(now)) {
    const wanted = now === undefined ? "must go" : `must be ${shown(now, { field, most: 60 })}`;
    yield { field, value: shown(before, { field, most: 60 }), rule: `${wanted}: --write writes it` };
  }
}
