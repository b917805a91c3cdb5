import type {
  AssignedSet,
  CallOutcome,
  DesiredProgress,
  DeviceUid,
  EffectiveDevice,
  LocalCall,
  LocalEnd,
  LocalTwin,
  LocalWrite,
  LocalWritePolicy,
  Micros,
  PropertyHold,
  Reading,
} from "@penstock/model";
import type { LocalSite } from "./local-site.ts";

const uid = "d".repeat(32) as DeviceUid;
const connection = "c".repeat(32) as EffectiveDevice["connection"];

function property(name: string, localWrites: LocalWritePolicy): EffectiveDevice["properties"][number] {
  return {
    ...{ name, type: "float64", unit: "Cel", access: "readWrite", minimum: "0", maximum: "100", visitor: {} },
    ...{ collect: { everyMs: 1000 }, localWrites, custom: {}, publish: null },
    report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
  };
}

/** One device "oven" with a property of each policy and a method; what it was told, and ends that the test gives. */
export class FakeSite implements LocalSite, LocalTwin {
  readonly node = "gw-01";
  readonly writes: LocalWrite[] = [];
  readonly calls: LocalCall[] = [];
  readonly released: string[] = [];
  readonly wanted: DesiredProgress[] = [];
  /** of the next value set here */
  ended: Promise<LocalEnd> = new Promise(() => {});
  outcome: Promise<CallOutcome> = new Promise(() => {});
  readonly twin: LocalTwin = this;

  assigned(): AssignedSet {
    const device: EffectiveDevice = {
      ...{ uid, name: "oven", generation: 1, connection, address: {}, offlineAfterMs: null, custom: {} },
      properties: [property("speed", "hold"), property("power", "yield"), property("limit", "refuse")],
      methods: [
        {
          ...{ name: "bake", result: "int64", timeoutMs: 1000, visitor: { code: 7 }, sets: [] },
          arguments: [{ name: "minutes", type: "int32", minimum: "1", maximum: "90", isOptional: false }],
        },
      ],
    };
    return {
      ...{ version: 1, devices: [device] },
      tenant: { uid: "t".repeat(32), name: "acme" },
      node: { uid: "n".repeat(32), name: this.node, timeZone: "UTC" },
      connections: [{ uid: connection, name: "bus-a", protocol: "modbus", settings: {}, line: {} }],
      // Uids and line settings are of no interest here.
    } as unknown as AssignedSet;
  }

  report(): ReturnType<LocalSite["report"]> {
    const none = { reason: null, message: null };
    return {
      ...{ agentVersion: "0.1.0", mappers: [], counters: {} },
      devices: [{ device: uid, state: "online", ...none }],
      cycles: [
        {
          ...{ device: uid, cadence: { everyMs: 1000 }, properties: 3, measuredMs: 1000, longestMs: 1001 },
          ...{ reportMs: null, overruns: 0, isOverrun: false },
        },
      ],
      lines: [{ connection, state: "up", ...none, loadPercent: 4, requestsPerSecond: 1 }],
      outbox: { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false },
    };
  }

  link(): ReturnType<LocalSite["link"]> {
    return { phase: "connected", code: null, message: null };
  }

  reported(): ReadonlyMap<string, Reading> {
    const time = 1_764_000_000_000_000 as Micros;
    const reading = { device: uid, property: "speed", type: "float64", time, value: 41.5 } as const;
    return new Map([["speed", { ...reading, quality: "good", reason: null } as Reading]]);
  }

  desired(): readonly DesiredProgress[] {
    return this.wanted;
  }

  holds(): readonly PropertyHold[] {
    return this.wanted.flatMap(({ hold }) => hold ?? []);
  }

  async setLocally(write: LocalWrite): Promise<{ readonly ended: Promise<LocalEnd> }> {
    this.writes.push(write);
    const { property, type, value, holder } = write;
    const since = 1_764_000_000_000_000 as Micros;
    this.wanted.splice(0, this.wanted.length, {
      ...{ property, version: 0, cloud: null },
      local: {
        ...{ state: "pending", type, value, reason: null, message: null, readBack: null },
        ...{ takenAt: since, writtenAt: null, endedAt: null },
      },
      hold: property === "speed" ? { device: uid, property, holder, type, value, since, until: null } : null,
    });
    return { ended: this.ended };
  }

  async release(_: DeviceUid, property: string): Promise<boolean> {
    this.released.push(property);
    return this.wanted.splice(0).length > 0;
  }

  callHere(call: LocalCall): Promise<CallOutcome> {
    this.calls.push(call);
    return this.outcome;
  }
}

export function endedAs(state: LocalEnd["state"], more: Partial<LocalEnd> = {}): LocalEnd {
  const time = 1_764_000_000_100_000 as Micros;
  return {
    ...{ device: uid, property: "speed", state, reason: null, message: null, value: 42, type: "float64", time },
    ...{ takenAt: time, writtenAt: time },
    ...more,
  };
}
