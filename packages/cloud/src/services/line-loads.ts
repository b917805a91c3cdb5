import {
  type ConnectionSpec,
  cadenceText,
  type DeviceLoad,
  type DeviceModelSpec,
  type DeviceSpec,
  type DeviceUid,
  type LineShare,
  type LoadState,
  loadState,
  sumOfLoads,
  whyUnpredicted,
} from "@penstock/model";
import type { CheckingContext } from "./context.ts";
import { createDeviceFacts, type DeviceFact, factOf } from "./device-facts.ts";
import { createDeviceLoads, type DescribedLine } from "./device-loads.ts";
import { inlineConnectionUid } from "./inline-connection.ts";
import { createModelVersions } from "./model-versions.ts";
import { findRows, type Row, specOf } from "./resource-rows.ts";

export interface LineFigures {
  percent: number;
  requestsPerSecond: number;
}
/** A line, and how full it will be by what is described. */
export interface LoadedLine {
  readonly uid: string;
  /** null: the line belongs to the one device */
  readonly connection: string | null;
  readonly device: string | null;
  readonly node: string;
  readonly protocol: string;
  readonly figures: LineFigures | null;
  /** why nothing is predicted; null when it is */
  readonly unpredicted: string | null;
  readonly most: LineShare[];
}
/** What a change makes of one line. */
export interface LineChange {
  connection: string | null;
  device: string | null;
  node: string;
  protocol: string;
  /** null: it is not there, or nobody can tell */
  before: LineFigures | null;
  after: LineFigures | null;
  unpredicted: string | null;
  state: LoadState;
  most: LineShare[];
}
interface ChangedRow {
  readonly before: Row | null;
  /** as it would be; deleted when it goes */
  readonly row: Row;
}
interface Line extends DescribedLine, Pick<LoadedLine, "connection" | "device" | "node"> {
  readonly key: string;
}
/** Lines told in one answer, the fullest first, and what each is told to consist of. */
const linesMost = 1000;
const sharesMost = 5;

/** The predicted load of lines: of what is stored, and of what somebody is about to store. */
export function createLineLoads(context: Pick<CheckingContext, "db" | "mappers">) {
  const { db } = context;
  const facts = createDeviceFacts(db);
  const loads = createDeviceLoads(facts);

  /** @param instead by uid, what counts in place of what is stored; a deleted row is gone */
  async function look(
    tenant: string,
    wanted: ReadonlySet<string>,
    instead: ReadonlyMap<string, Row> = new Map(),
  ): Promise<Map<string, LoadedLine>> {
    const changed = [...instead.values()].filter((row) => row.deleted_at === null);
    const rowsOf = (kind: string) => changed.filter((row) => row.kind === kind);
    const stored = (await facts.of(tenant)).filter(({ uid }) => !instead.has(uid));
    const here = [...stored, ...rowsOf("Device").map(factOf)].filter((fact) => wanted.has(keyOf(fact)));
    const members = Map.groupBy(here, keyOf);
    const newModels = new Map(rowsOf("DeviceModel").map((row) => [row.name, specOf<DeviceModelSpec>(row)]));
    const models = createModelVersions(db, tenant);
    const modelOf = async ({ uid, model }: DeviceFact) => {
      if (model === undefined) return null;
      const spec = newModels.get(model);
      return spec === undefined ? models.of(uid, { model }) : { spec, version: null };
    };
    const found = new Map<string, LoadedLine>();
    const lines = [...(await sharedLines(tenant, wanted, instead)), ...(await ownLines(here, instead))];
    const nodes = await findRows(db, tenant, "Node", [...new Set(lines.map(({ node }) => node))]);
    const uids = new Map(nodes.map((row) => [row.name, row.uid]));
    for (const line of lines) {
      const { key, uid, connection, device, node, spec } = line;
      const manifest = context.mappers.ofNode(tenant, uids.get(node) ?? "").find(({ name }) => name === spec.protocol);
      const unpredicted = whyUnpredicted(spec.protocol, manifest);
      const at = { uid, connection, device, node, protocol: spec.protocol, unpredicted };
      if (unpredicted !== null || manifest === undefined) {
        found.set(key, { ...at, figures: null, most: [] });
        continue;
      }
      const all = await loads.of(members.get(key) ?? [], { line, manifest, instead, modelOf });
      found.set(key, { ...at, figures: figuresOf(all), most: sharesOf(all) });
    }
    return found;
  }

  async function sharedLines(tenant: string, wanted: ReadonlySet<string>, instead: ReadonlyMap<string, Row>) {
    const names = [...wanted].flatMap((key) => (key.startsWith(shared) ? key.slice(shared.length) : []));
    const changed = [...instead.values()].filter((row) => row.kind === "Connection" && row.deleted_at === null);
    const stored = await findRows(db, tenant, "Connection", names);
    const known = new Map(stored.map((row) => [row.uid, row]));
    const others = stored.filter(({ uid }) => !instead.has(uid));
    return [...others, ...changed.filter(({ name }) => names.includes(name))].map((row): Line => {
      const spec = specOf<ConnectionSpec>(row);
      const before = known.get(row.uid);
      // A dry run gives numbers that another change will get.
      const isStored = before?.resource_version === row.resource_version && before.spec === row.spec;
      const version = isStored ? String(row.resource_version) : null;
      return {
        key: shared + row.name,
        uid: row.uid,
        connection: row.name,
        device: null,
        node: spec.node,
        spec,
        version,
      };
    });
  }
  /** of devices whose connection nobody shares */
  async function ownLines(devices: readonly DeviceFact[], instead: ReadonlyMap<string, Row>) {
    const own = devices.filter(({ connection }) => connection === null);
    const rows = new Map(instead);
    const uids = own.flatMap(({ uid }) => (rows.has(uid) ? [] : uid));
    for (const row of await facts.rowsOf(uids)) rows.set(row.uid, row);
    return own.flatMap((fact): Line[] => {
      const row = rows.get(fact.uid);
      if (row === undefined) return [];
      const { connection, node } = specOf<DeviceSpec>(row);
      if (typeof connection === "string") return [];
      const uid = inlineConnectionUid(row.uid as DeviceUid);
      // Its settings stand in the device: its version is the device's.
      const version = instead.has(row.uid) ? null : "own";
      return [{ key: keyOf(fact), uid, connection: null, device: row.name, node, spec: connection, version }];
    });
  }

  return {
    /** of Connections that are stored, or would be as their rows say, by name */
    async of(tenant: string, connections: readonly Row[]): Promise<ReadonlyMap<string, LoadedLine>> {
      const found = await look(
        tenant,
        new Set(connections.map(({ name }) => shared + name)),
        new Map(connections.map((row) => [row.uid, row])),
      );
      return new Map([...found.values()].map((line) => [line.connection!, line]));
    },
    /** all lines of some nodes, by their names */
    async ofNodes(tenant: string, nodes: ReadonlySet<string>): Promise<LoadedLine[]> {
      const connections = await db
        .selectFrom("resources")
        .select(["name", "spec"])
        .where("tenant_uid", "=", tenant)
        .where("kind", "=", "Connection")
        .where("deleted_at", "is", null)
        .execute();
      const there = connections.filter(({ spec }) => nodes.has((JSON.parse(spec) as ConnectionSpec).node));
      const own = (await facts.of(tenant)).filter((fact) => fact.connection === null && nodes.has(fact.node));
      const keys = new Set([...there.map(({ name }) => shared + name), ...own.map(keyOf)]);
      return [...(await look(tenant, keys)).values()];
    },
    /** uids of the lines that devices are on, inline ones too */
    async linesOfDevices(tenant: string, devices: readonly DeviceUid[]): Promise<ReadonlySet<string>> {
      const asked = new Set<string>(devices);
      if (asked.size === 0) return asked;
      const found = (await facts.of(tenant)).filter(({ uid }) => asked.has(uid));
      const names = new Set(found.flatMap(({ connection }) => connection ?? []));
      const rows = await findRows(db, tenant, "Connection", [...names]);
      const own = found.filter(({ connection }) => connection === null);
      return new Set([...rows.map(({ uid }) => uid), ...own.map(({ uid }) => inlineConnectionUid(uid as DeviceUid))]);
    },
    /** What a change that was checked, and is not stored, would make of the lines that it touches. */
    async compare(tenant: string, changes: readonly ChangedRow[]): Promise<LineChange[]> {
      const wanted = new Set<string>();
      const models = new Set<string>();
      for (const row of changes.flatMap(({ before, row }) => (before === null ? [row] : [before, row]))) {
        if (row.kind === "Device") wanted.add(keyOf(factOf(row)));
        if (row.kind === "Connection") wanted.add(shared + row.name);
        if (row.kind === "DeviceModel") models.add(row.name);
      }
      if (models.size > 0) {
        const users = (await facts.of(tenant)).filter(({ model }) => model !== undefined && models.has(model));
        for (const fact of users) wanted.add(keyOf(fact));
      }
      if (wanted.size === 0) return [];
      const [before, after] = [
        await look(tenant, wanted),
        await look(tenant, wanted, new Map(changes.map(({ row }) => [row.uid, row]))),
      ];
      return [...wanted]
        .flatMap((key): LineChange[] => {
          const line = after.get(key) ?? before.get(key);
          if (line === undefined) return [];
          const { connection, device, node, protocol, unpredicted, most } = line;
          const figures = after.get(key)?.figures ?? null;
          return [
            {
              ...{ connection, device, node, protocol, unpredicted },
              ...{ before: before.get(key)?.figures ?? null, after: figures },
              ...{ state: loadState(figures?.percent ?? null), most: after.has(key) ? most : [] },
            },
          ];
        })
        .sort((a, b) => (b.after?.percent ?? -1) - (a.after?.percent ?? -1))
        .slice(0, linesMost);
    },
  };
}
export type LineLoads = ReturnType<typeof createLineLoads>;

/** What a line is told apart by: a Connection's name, or the uid of the device whose own it is. */
const shared = "shared ";
function keyOf({ uid, connection }: DeviceFact): string {
  return connection === null ? `own ${uid}` : shared + connection;
}

type Loads = readonly { readonly device: string; readonly load: DeviceLoad }[];
function figuresOf(all: Loads): LineFigures {
  const { percent, requestsPerSecond } = sumOfLoads(all.map(({ load }) => load));
  return { percent: rounded(percent), requestsPerSecond: rounded(requestsPerSecond) };
}
function sharesOf(all: Loads): LineShare[] {
  return all
    .flatMap(({ device, load }) => load.cycles.map((cycle) => ({ device, ...cycle })))
    .sort((a, b) => b.percent - a.percent)
    .slice(0, sharesMost)
    .map(({ device, cadence, properties, percent, requestsPerSecond }) => ({
      ...{ device, cadence: cadenceText(cadence), properties },
      ...{ percent: rounded(percent), requestsPerSecond: rounded(requestsPerSecond) },
    }));
}

/** To a hundredth; a prediction is no better than that. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
