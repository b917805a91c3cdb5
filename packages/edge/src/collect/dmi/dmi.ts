import {
  AppError,
  type AssignedSet,
  type ConnectionUid,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type ErrorCode,
  limits,
  type OwnMappers,
} from "@penstock/model";
import type { Cancel, ChildProcesses, Clock, Files, Log, Metrics } from "@penstock/runtime";
import { type DmiDevice, type DmiMessages, type DmiModel, encodeDmi } from "@penstock/wire";
import { assignConnections } from "./assign-connections.ts";
import { type ChildWrite, DmiChild } from "./dmi-child.ts";
import { cycleMs, dmiKey, mostAnswerBytes, protocolLabel, toDmi } from "./dmi-device.ts";
import { dmiManifest } from "./dmi-manifest.ts";
import { dmiMetrics } from "./dmi-metrics.ts";
import { type DmiServer, openDmiServer } from "./dmi-server.ts";
import { type OpenClient, openMapperClient } from "./mapper-client.ts";
import { MapperLink, type Registration, type WantedDevice } from "./mapper-link.ts";
import { printOf } from "./print-of.ts";
import { registrationOf } from "./registration-of.ts";
import { Registrations } from "./registrations.ts";
import { reportedTime, reportedValue } from "./reported-value.ts";

export interface DmiOptions {
  /** of the socket that mappers register at */
  readonly socket: string;
  /** where it keeps who has registered */
  readonly folder: string;
  /** an installed mapper serves the protocol of its name, and no other may */
  isInstalled(protocol: string): boolean;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly openClient?: OpenClient;
}
/** Mappers that speak KubeEdge's device mapper interface, v1beta1. Their own processes are somebody else's to run. */
export interface Dmi extends OwnMappers {
  /** tells mappers what is theirs of the set */
  apply(set: AssignedSet): void;
  /** a mapper of this protocol has registered, now or before */
  serves(protocol: string): boolean;
  /** starts what collect takes for the protocol's mapper process */
  processes(protocol: string): ChildProcesses;
  /** @throws AppError mapper/stopped while none of the protocol's mappers runs */
  find(protocol: string): Promise<string>;
  /** told a protocol when its first mapper registers, and whenever one of its mappers runs again after none did */
  onServed(listener: (protocol: string) => void): () => void;
  onChange(listener: (names: readonly string[]) => void): () => void;
  close(): Promise<void>;
}

/** A mapper that has gone for so long has its connections taken over by others of its protocol. */
const awayAfterMs = 30_000;
const goneStates = new Set(["offline", "disconnected", "unhealthy"]);
const goodStates = new Set(["online", "ok"]);

interface Target {
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly properties: ReadonlyMap<string, EffectiveProperty>;
}

/** @throws AppError input/invalid, port/in-use for the socket */
export async function openDmi(options: DmiOptions): Promise<Dmi> {
  const path = `${options.folder}/mappers.json`;
  const log = options.log.with({ stage: "collect" });
  const manager = new DmiManager({ ...options, log }, path);
  for (const { registration, held } of await Registrations.read(options.files, path, log)) {
    if (!options.isInstalled(protocolLabel(registration.protocol))) {
      manager.add(registration, new Map(Object.entries(held)));
    }
  }
  await manager.listen();
  return manager;
}

class DmiManager implements Dmi {
  readonly #options: DmiOptions;
  readonly #metrics: ReturnType<typeof dmiMetrics>;
  readonly #links = new Map<string, MapperLink>();
  readonly #registrations: Registrations;
  readonly #children = new Map<string, DmiChild>();
  readonly #served = new Map<ConnectionUid, string | null>();
  readonly #listeners = new Set<(protocol: string) => void>();
  readonly #changed = new Set<(names: readonly string[]) => void>();
  readonly #states = new Map<DeviceUid, string>();
  #set: AssignedSet | null = null;
  #connections = new Map<ConnectionUid, EffectiveConnection>();
  #targets = new Map<DeviceUid, Target>();
  #byName = new Map<string, Target>();
  #prints = new WeakMap<EffectiveDevice, { readonly connection: EffectiveConnection; readonly print: string }>();
  #server: DmiServer | null = null;
  #away: Cancel = () => {};
  #isClosed = false;

  constructor(options: DmiOptions, path: string) {
    this.#options = options;
    this.#metrics = dmiMetrics(options.metrics);
    const { files, clock, log } = options;
    this.#registrations = new Registrations({ path, files, clock, log }, () =>
      [...this.#links.values()].map(({ registration, held }) => ({ registration, held: Object.fromEntries(held) })),
    );
  }

  async listen(): Promise<void> {
    const { socket: path, files, log } = this.#options;
    const handlers = {
      register: (request: DmiMessages["MapperRegisterRequest"]) => this.#register(request),
      status: (request: DmiMessages["ReportDeviceStatusRequest"]) => this.#status(request),
      states: (request: DmiMessages["ReportDeviceStatesRequest"]) => this.#state(request),
    };
    const onRefused = (code: ErrorCode) => this.#metrics.refused(code).add();
    this.#server = await openDmiServer({ path, handlers, files, log, onRefused });
  }

  add(registration: Registration, held: ReadonlyMap<string, string>): MapperLink {
    const { clock, log, openClient: open = openMapperClient } = this.#options;
    const link: MapperLink = new MapperLink({
      ...{ registration, held, clock, log, open },
      onChange: () => this.#linkChanged(link),
      onCall: (code) => this.#metrics.calls(code ?? "ok").add(),
    });
    this.#links.set(registration.name, link);
    return link;
  }

  apply(set: AssignedSet): void {
    if (this.#isClosed) return;
    this.#set = set;
    this.#connections = new Map(set.connections.map((connection) => [connection.uid, connection]));
    this.#index();
    this.#assign();
  }

  serves(protocol: string): boolean {
    return this.#linksOf(protocol).length > 0;
  }

  processes(protocol: string): ChildProcesses {
    return {
      spawn: () => {
        const child = new DmiChild({
          ...{ protocol, clock: this.#options.clock },
          trouble: (connection) => this.#trouble(connection),
          cycleMs: (device, property) => {
            const found = this.#targets.get(device)?.properties.get(property);
            return found === undefined ? 1000 : cycleMs(found);
          },
          write: (device, writes) => this.#write(device, writes),
        });
        this.#children.set(protocol, child);
        return child;
      },
    };
  }

  find(protocol: string): Promise<string> {
    const links = this.#linksOf(protocol);
    if (links.some(({ isUp }) => isUp)) return Promise.resolve(protocol);
    return Promise.reject(new AppError("mapper/stopped", noneRuns(links)));
  }

  onServed(listener: (protocol: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onChange(listener: (names: readonly string[]) => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  list() {
    return this.#protocols().map((protocol) => dmiManifest(protocol).told);
  }

  manifest(hash: string): Uint8Array | null {
    for (const protocol of this.#protocols()) {
      const { told, text } = dmiManifest(protocol);
      if (told.hash === hash) return text;
    }
    return null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#away();
    await this.#server?.close();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    await this.#registrations.close();
  }

  #protocols(): string[] {
    return [
      ...new Set([...this.#links.values()].map(({ registration }) => protocolLabel(registration.protocol))),
    ].sort();
  }

  #linksOf(protocol: string): MapperLink[] {
    return [...this.#links.values()].filter(({ registration }) => protocolLabel(registration.protocol) === protocol);
  }

  #register({ withData, mapper }: DmiMessages["MapperRegisterRequest"]): DmiMessages["MapperRegisterResponse"] {
    const registration = registrationOf(mapper);
    const { name } = registration;
    const protocol = protocolLabel(registration.protocol);
    if (this.#options.isInstalled(protocol)) {
      const why = `the gateway has an installed mapper "${protocol}", which serves the connections of that protocol`;
      throw new AppError("mapper/unsupported", `Cannot register "${name}": ${why}`);
    }
    const before = this.#links.get(name);
    if (before === undefined && this.#links.size >= limits.mappersPerNode) {
      throw new AppError(
        "request/too-many",
        `Cannot register "${name}": ${limits.mappersPerNode} mappers have registered`,
      );
    }
    const isNew = !this.serves(protocol);
    const link = before ?? this.add(registration, new Map());
    const was = before === undefined ? protocol : protocolLabel(before.registration.protocol);
    link.registration = registration;
    if (isNew) this.#index();
    this.#assign();
    const { answer, told } = withData ? this.#answer(link) : { answer: { modelList: [], deviceList: [] }, told: [] };
    link.registered(registration, told);
    this.#options.log.info({ dmiMapper: name, protocol, devices: told.length }, "A DMI mapper has registered");
    this.#registrations.changed();
    if (isNew || was !== protocol) {
      for (const listener of [...this.#changed]) listener([...new Set([protocol, was])]);
      for (const listener of [...this.#listeners]) listener(protocol);
    }
    return answer;
  }

  /** As many of its devices as one answer holds; the others are told one by one. */
  #answer(link: MapperLink) {
    const modelList: DmiModel[] = [];
    const deviceList: DmiDevice[] = [];
    const told: string[] = [];
    let bytes = 0;
    for (const [key, wanted] of this.#wantedOf(link)) {
      const { device, model } = toDmi(wanted, link.desiredOf(key));
      bytes += encodeDmi("RegisterDeviceRequest", { device }).length;
      bytes += encodeDmi("CreateDeviceModelRequest", { model }).length;
      if (bytes > mostAnswerBytes) break;
      modelList.push(model);
      deviceList.push(device);
      told.push(key);
    }
    return { answer: { modelList, deviceList }, told };
  }

  #status({ deviceName, deviceNamespace, reportedDevice }: DmiMessages["ReportDeviceStatusRequest"]): void {
    const target = this.#target(deviceNamespace, deviceName);
    const { device, connection, properties } = target;
    const child = this.#children.get(connection.protocol);
    const link = this.#linkOf(connection.uid);
    const key = dmiKey(deviceNamespace, deviceName);
    this.#metrics.reports.add();
    for (const { propertyName, reported } of reportedDevice?.twins ?? []) {
      const property = properties.get(propertyName);
      if (property === undefined || reported === null || child === undefined) {
        this.#metrics.unknown.add();
        continue;
      }
      const { value, reason = null } = reportedValue(property.type, reported.value);
      link?.reported(key, property, value);
      child.report(device.uid, { property: propertyName, value, reason, time: reportedTime(reported.metadata) });
    }
  }

  #state({ deviceName, deviceNamespace, state }: DmiMessages["ReportDeviceStatesRequest"]): void {
    const { device, connection } = this.#target(deviceNamespace, deviceName);
    const said = state.toLowerCase();
    const isNews = this.#states.get(device.uid) !== said;
    this.#states.set(device.uid, said);
    if (isNews && !goodStates.has(said)) {
      this.#options.log.info(
        { device: device.name, state: state.slice(0, 64) },
        "A DMI mapper told the state of a device",
      );
    }
    if (goneStates.has(said)) this.#children.get(connection.protocol)?.deviceGone(device.uid, "mapper/device-offline");
  }

  #target(namespace: string, name: string): Target {
    // A mapper that leaves the namespace out has but one tenant to mean.
    const target = this.#byName.get(dmiKey(namespace === "" ? (this.#set?.tenant.name ?? "") : namespace, name));
    if (target !== undefined && this.serves(target.connection.protocol)) return target;
    this.#metrics.unknown.add();
    throw new AppError(
      "resource/not-found",
      `Cannot take a report: no device "${name}" of "${namespace}" speaks DMI here`,
    );
  }

  async #write(uid: DeviceUid, writes: readonly ChildWrite[]): Promise<void> {
    const target = this.#targets.get(uid);
    const link = target && this.#linkOf(target.connection.uid);
    if (target === undefined || !link)
      throw new AppError("mapper/stopped", "Cannot write: no DMI mapper has the device");
    await link.write(dmiKey(this.#set!.tenant.name, target.device.name), writes);
  }

  #linkOf(connection: ConnectionUid): MapperLink | null {
    const name = this.#served.get(connection);
    return name ? (this.#links.get(name) ?? null) : null;
  }

  #trouble(uid: ConnectionUid): { readonly code: ErrorCode; readonly message: string } | null {
    const link = this.#linkOf(uid);
    if (link?.isUp === true) return null;
    if (link !== null) return { code: "mapper/stopped", message: noneRuns([link]) };
    const wanted = String(this.#connections.get(uid)?.settings.mapper ?? "");
    return { code: "mapper/not-found", message: `No DMI mapper "${wanted}" has registered` };
  }

  #linkChanged(link: MapperLink): void {
    if (this.#isClosed) return;
    this.#registrations.changed();
    const protocol = protocolLabel(link.registration.protocol);
    const links = this.#linksOf(protocol);
    this.#metrics.running.set([...this.#links.values()].filter(({ isUp }) => isUp).length);
    const child = this.#children.get(protocol);
    this.#assign();
    if (!links.some(({ isUp }) => isUp)) {
      this.#children.delete(protocol);
      child?.exit(noneRuns(links));
    } else if (child === undefined) for (const listener of [...this.#listeners]) listener(protocol);
    else child.servedChanged();
  }

  #index(): void {
    const set = this.#set;
    if (set === null) return;
    this.#targets = new Map();
    this.#byName = new Map();
    for (const device of set.devices) {
      const connection = this.#connections.get(device.connection);
      if (connection === undefined || !this.serves(connection.protocol)) continue;
      const target = { device, connection, properties: new Map(device.properties.map((one) => [one.name, one])) };
      this.#targets.set(device.uid, target);
      this.#byName.set(dmiKey(set.tenant.name, device.name), target);
    }
    for (const uid of this.#states.keys()) if (!this.#targets.has(uid)) this.#states.delete(uid);
  }

  /** Who serves which connection, and what each mapper shall hold for it. */
  #assign(): void {
    if (this.#isClosed) return;
    const now = this.#options.clock.monotonic() / 1000;
    this.#served.clear();
    let wakeInMs = Number.POSITIVE_INFINITY;
    for (const protocol of this.#protocols()) {
      const candidates = this.#linksOf(protocol).map(({ registration: { name }, downSince }) => {
        const leftMs = downSince === null ? Number.POSITIVE_INFINITY : downSince + awayAfterMs - now;
        if (leftMs > 0) wakeInMs = Math.min(wakeInMs, leftMs);
        return { name, isAway: leftMs <= 0 };
      });
      const connections = [...this.#connections.values()].filter((one) => one.protocol === protocol);
      const asked = connections.map(({ uid, settings }) => ({ uid, mapper: settings.mapper }));
      for (const [uid, name] of assignConnections(asked, candidates)) this.#served.set(uid, name);
    }
    if (this.#set !== null) for (const link of this.#links.values()) link.want(this.#wantedOf(link));
    this.#away();
    if (!Number.isFinite(wakeInMs)) return;
    this.#away = this.#options.clock.after(wakeInMs + 1, () => {
      this.#assign();
      for (const child of this.#children.values()) child.servedChanged();
    });
  }

  #wantedOf({ registration: { name, protocol } }: MapperLink): Map<string, WantedDevice> {
    const wanted = new Map<string, WantedDevice>();
    const namespace = this.#set?.tenant.name ?? "";
    for (const { device, connection } of this.#targets.values()) {
      if (this.#served.get(connection.uid) !== name) continue;
      const source = { device, connection, namespace, protocol };
      wanted.set(dmiKey(namespace, device.name), { ...source, print: this.#printOf(device, connection) });
    }
    return wanted;
  }

  #printOf(device: EffectiveDevice, connection: EffectiveConnection): string {
    const known = this.#prints.get(device);
    if (known?.connection === connection) return known.print;
    const print = printOf(device, connection);
    this.#prints.set(device, { connection, print });
    return print;
  }
}

function noneRuns(links: readonly MapperLink[]): string {
  const names = links.map(({ registration: { name } }) => `"${name}"`).join(", ");
  return `DMI mapper ${names} does not run`;
}
