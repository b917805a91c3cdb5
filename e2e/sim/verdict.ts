import { isCallEnd } from "@penstock/model";
import type { SimStoredReading } from "@penstock/testkit";
import { isSettled } from "../../packages/cloud/src/services/desired-state.ts";
import { type KnownReading, textOf } from "./ledger.ts";
import { machine, settable } from "./plant.ts";

import type { World } from "./world.ts";

export interface Verdict {
  readonly accepted: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
  readonly stale: number;
  readonly dropped: number;
  readonly unread: number;
  /** a sentence for each finding, the first few of a kind */
  readonly problems: readonly string[];
}

const examplesShown = 5;

/** The questions of DESIGN section 6 "Faults", asked of a run that has come to rest. */
export function judge(world: World): Verdict {
  const findings = new Map<string, string[]>();
  const find = (kind: string, text: string) => findings.set(kind, [...(findings.get(kind) ?? []), text]);
  const ids = new Map<string, Set<number>>();
  const { ledger } = world;
  const stored = world.series.readings();
  for (const one of stored) {
    const { epoch, seq } = one;
    const seqs = ids.get(epoch) ?? new Set();
    ids.set(epoch, seqs);
    if (seqs.has(seq)) find("duplicated", `${epoch}:${seq} is stored twice`);
    seqs.add(seq);
    const text = textOf(one);
    const known = ledger.readings.get(text);
    if (known === undefined) {
      find("foreign", `${text} is stored and was never read`);
      continue;
    }
    known.stored ??= one;
    const first = known.stored;
    if (first.epoch !== epoch || first.seq !== seq) {
      find("duplicated", `${text} is stored as ${first.epoch}:${first.seq} and ${epoch}:${seq}`);
    }
  }
  for (const collision of ledger.collisions) find("duplicated", collision);
  findLost(world, find);
  findDisorder(world, find);
  findStale(world, stored, find);
  findActs(world, find);
  findLate(world, find);
  for (const one of ledger.readings.values()) {
    if (one.fate === "open") find("unread", `${one.text} was handed to the outbox and never heard of again`);
  }
  const dropped = world.sites.reduce((sum, site) => sum + (site.running?.outbox.stats().dropped ?? 0), 0);
  for (const log of [world.cloudLog, ...world.sites.map(({ log }) => log)]) {
    for (const line of log.internal) find("internal", line);
  }
  for (const problem of world.problems) find("problem", problem);
  const count = (kind: string) => findings.get(kind)?.length ?? 0;
  return {
    accepted: ledger.accepted,
    stored: stored.length,
    lost: count("lost"),
    duplicated: count("duplicated"),
    outOfOrder: count("outOfOrder"),
    stale: count("stale"),
    dropped,
    unread: ledger.refused + ledger.inFlightAtCrash + count("unread"),
    problems: [...findings].flatMap(([kind, texts]) => [
      ...texts.slice(0, examplesShown).map((text) => `${kind}: ${text}`),
      ...(texts.length > examplesShown ? [`${kind}: and ${texts.length - examplesShown} more`] : []),
    ]),
  };
}
type Find = (kind: string, text: string) => void;

function findLost(world: World, find: Find): void {
  const told = [...world.desired.alarms.keys()].flatMap((key) => {
    const range = /^ingest\/gap [0-9a-f]+:(\d+)-(\d+)$/.exec(key);
    return range === null ? [] : [{ from: Number(range[1]), to: Number(range[2]) }];
  });
  for (const site of world.sites) {
    const { drops } = site.log;
    const counted = site.running?.outbox.stats().dropped ?? 0;
    const logged = drops.reduce((sum, { readings }) => sum + readings, 0);
    if (site.running !== null && logged > counted) {
      find("lost", `${site.name}: ${logged} readings were dropped, its counter says ${counted}`);
    }
    // A crash between the journal and the log line: counted, and nobody was told which they were.
    let unnamed = counted - logged;
    for (const one of world.ledger.readings.values()) {
      if (one.site !== site.name || one.fate !== "accepted" || one.stored !== null) continue;
      const { epoch, seq } = one.places[0]!;
      const isIn = ({ from, to }: { readonly from: number; readonly to: number }) => from <= seq && seq <= to;
      // Dropped before an older copy of the disk was put back, and told: then the copy need not offer it again.
      const isDropped = drops.some(isIn) || site.dropsUndone.some(isIn) || unnamed-- > 0;
      if (!isDropped) find("lost", `${one.text}, accepted as ${epoch}:${seq}, is neither stored nor dropped`);
      // With two machines their numbers stand in one row, and one's gap may hide behind the other's readings.
      else if (world.sites.length === 1 && !told.some(isIn)) {
        find("lost", `${one.text}, dropped at ${epoch}:${seq}: the cloud was not told`);
      }
    }
  }
}

/** The store sorts by (time, seq); so a place can only differ from the witness's where time or seq does. */
function findDisorder(world: World, find: Find): void {
  const offsets = new Map<string, number>();
  for (const known of world.ledger.readings.values()) {
    const { stored, text } = known;
    if (stored === null) continue;
    const place = known.places[0];
    if (place !== undefined && place.seq !== stored.seq) {
      find("outOfOrder", `${text} was accepted as seq ${place.seq} and stored as ${stored.seq}`);
    }
    const wrong = wrongTime(known, stored, offsets);
    if (wrong !== null) find("outOfOrder", `${text} ${wrong}`);
  }
}

function wrongTime(known: KnownReading, stored: SimStoredReading, offsets: Map<string, number>): string | null {
  const { time } = stored;
  if (time === known.time) return null;
  if (known.clock === null) {
    return `was read at ${known.time} and is stored at ${time}`;
  }
  // Corrected: every reading of one boot by the same offset.
  const { boot, monotonic } = known.clock;
  const offset = time - monotonic - known.rowTimeOffset;
  const before = offsets.get(boot) ?? offset;
  offsets.set(boot, before);
  return offset === before ? null : `was corrected by ${offset}, others of its boot by ${before}`;
}

/** A method is an act: at most once, and what is said of it is what the machine did. */
function findActs(world: World, find: Find): void {
  const { calls } = world.desired;
  for (const { n, state, disks, isTaken, isReported } of calls.rows.values()) {
    if (!isCallEnd(state)) find("stale", `call ${n} has no end: ${state}`);
    const isKnown = world.sites.every(({ plant }) => plant.disks <= disks);
    if (isTaken && !isReported && isKnown) find("stale", `call ${n} was taken, and its end was never heard of`);
    for (const { name, plant } of world.sites) {
      const acts = plant.acts.get(n) ?? 0;
      // An older copy of the disk does not know what was begun since.
      if (plant.disks > disks) continue;
      if (acts > 1) find("stale", `call ${n}, which ended ${state}, was carried out ${acts} times at ${name}`);
      if (world.sites.length > 1) continue;
      const said = state === "done" ? 1 : state === "unknown" ? acts : 0;
      if (acts !== said) find("stale", `call ${n} ended ${state}, and the machine acted ${acts} times`);
    }
  }
}

/**
 * Time spent in the cloud, on the line and at the gateway counts against the time to live. What may be missing of the count
 * is told by edge/src/link/transit.ts: 1 s, and no more than the fastest message took. An access to the machine that began
 * in its time takes at most 12 ms to reach it.
 */
const lateMicros = 1_000_000 + 12_000;

function findLate(world: World, find: Find): void {
  const { deadlines } = world.desired;
  for (const { name: site, plant } of world.sites) {
    const { timeLost } = plant;
    const look = (name: string, at: number) => {
      const late = deadlines.late(name, { at, timeLost });
      if (late > lateMicros) find("stale", `${name} reached ${site}'s machine ${late / 1000} ms after its time`);
    };
    for (const { property, value, at } of plant.writes) look(`${property}#${value}`, at);
    for (const [n, at] of plant.actedAt) look(`call#${n}`, at);
  }
}

function findStale(world: World, stored: readonly SimStoredReading[], find: Find): void {
  for (const row of world.desired.rows.values()) {
    const { property, version, value, state } = row;
    const name = `${property}#${version}`;
    if (!isSettled(state, property === "gate")) find("stale", `${name} has no end: ${state}`);
    const isProven = state === "confirmed" || (property === "gate" && state === "written");
    const held = world.sites.map(({ plant }) => plant.held.get(property) ?? 0);
    if (isProven && !held.includes(value)) find("stale", `${name} ended ${state}, the machine holds ${held.join()}`);
    for (const { name: site, running } of world.sites) {
      const view = running?.twin.desired(machine.uid).find((one) => one.property === property);
      if (view === undefined || world.sites.length > 1) continue;
      if (view.version > version) find("stale", `${site} knows ${property}#${view.version}, the cloud ${name}`);
      if (view.version !== version || view.end === null || view.end.state === state) continue;
      find("stale", `${name} ended ${view.end.state} at ${site} and ${state} in the cloud`);
    }
  }
  for (const { plant, name } of world.sites) {
    for (const property of settable) {
      const writes = plant.writes.filter((write) => write.property === property);
      const fall = writes.findIndex((write, at) => {
        const before = writes[at - 1];
        return before !== undefined && before.disks === write.disks && write.value < before.value;
      });
      const [high, low] = [writes[fall - 1]?.value, writes[fall]?.value];
      if (fall > 0) find("stale", `${name}: ${property} was written ${high}, then ${low}`);
    }
  }
  for (const text of world.tooOld) find("stale", text);
  const newestTimes = new Map<string, number>();
  for (const { device, property, time } of stored) {
    const series = `${device}/${property}`;
    newestTimes.set(series, Math.max(time, newestTimes.get(series) ?? 0));
  }
  for (const [series, time] of newestTimes) {
    const last = world.lastValues.get(series)?.time;
    if (last !== time) find("stale", `The last value of ${series} is of ${last}, the newest stored of ${time}`);
  }
  for (const { name, running, newest } of world.sites) {
    for (const [device, last] of newest) {
      const reported = running?.twin.reported(device).get("level");
      if (reported === undefined || reported.value === last.value) continue;
      find("stale", `${name} reports level ${String(reported.value)}, the newest is ${String(last.value)}`);
    }
  }
}
