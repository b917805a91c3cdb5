import {
  AppError,
  type AssignedSet,
  type ConnectionUid,
  type DeviceUid,
  type ErrorCode,
  limits,
  type OwnMappers,
} from "@penstock/model";
import type { Cancel, ChildProcesses, Clock, Files, Log, Metrics } from "@penstock/runtime";
import type { DmiMessages } from "@penstock/wire";
import { assignConnections } from "./assign-connections.ts";
import { type ChildWrite, DmiChild } from "./dmi-child.ts";
import { cycleMs, dmiKey, protocolLabel } from "./dmi-device.ts";
import { dmiManifest } from "./dmi-manifest.ts";
import { dmiMetrics } from "./dmi-metrics.ts";
import { type DmiServer, openDmiServer } from "./dmi-server.ts";
import { Incoming } from "./incoming.ts";
import { type OpenClient, openMapperClient } from "./mapper-client.ts";
import { MapperLink, type Registration, type WantedDevice } from "./mapper-link.ts";
import { registerAnswer } from "./register-answer.ts";
import { registrationOf } from "./registration-of.ts";
import { Registrations } from "./registrations.ts";
import { sparingInfo } from "./sparing-log.ts";
import { Targets } from "./targets.ts";

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
  /** Mappers can tell nothing more; to be called before those who take what they tell are closed. */
  stopListening(): Promise<void>;
  close(): Promise<void>;
}

/** A mapper that has gone for so long has its connections taken over by others of its protocol. */
const awayAfterMs = 30_000;

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
  readonly #targets = new Targets();
  readonly #incoming: Incoming;
  readonly #info: Log["info"];
  /** name of the mapper that serves a connection */
  readonly #served = new Map<ConnectionUid, string | null>();
  readonly #listeners = new Set<(protocol: string) => void>();
  readonly #changed = new Set<(names: readonly string[]) => void>();
  #server: DmiServer | null = null;
  #away: Cancel = () => {};
  #isClosed = false;

  constructor(options: DmiOptions, path: string) {
    this.#options = options;
    this.#metrics = dmiMetrics(options.metrics);
    const { files, clock, log } = options;
    this.#info = sparingInfo({ log, clock, dropped: this.#metrics.linesDropped });
    this.#incoming = new Incoming({
      ...{ targets: this.#targets, metrics: this.#metrics, info: this.#info },
      childOf: (protocol) => this.#children.get(protocol) ?? null,
      linkOf: ({ connection }) => this.#linkOf(connection.uid),
    });
    this.#registrations = new Registrations({ path, files, clock, log }, () =>
      [...this.#links.values()].map(({ registration, held }) => ({ registration, held: Object.fromEntries(held) })),
    );
  }

  async listen(): Promise<void> {
    const { socket: path, files, log } = this.#options;
    const handlers = {
      register: (request: DmiMessages["MapperRegisterRequest"]) => this.#register(request),
      status: (request: DmiMessages["ReportDeviceStatusRequest"]) => this.#incoming.status(request),
      states: (request: DmiMessages["ReportDeviceStatesRequest"]) => this.#incoming.states(request),
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
    this.#targets.apply(set, (protocol) => this.serves(protocol));
    this.#incoming.targetsChanged();
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
          onLost: (values) => this.#metrics.lost.add(values),
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

  async stopListening(): Promise<void> {
    await this.#server?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#away();
    await this.stopListening();
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
    const was = protocolLabel(link.registration.protocol);
    link.registration = registration;
    if (isNew || was !== protocol) this.#targets.index((one) => this.serves(one));
    this.#assign();
    const wanted = this.#wantedOf(link);
    const { answer, told } = withData
      ? registerAnswer(wanted, (key) => link.desiredOf(key))
      : { answer: { modelList: [], deviceList: [] }, told: [] };
    link.registered(registration, told);
    this.#info({ dmiMapper: name, protocol, devices: told.length }, "A DMI mapper has registered");
    this.#registrations.changed();
    if (was !== protocol) this.#runsChanged(was);
    if (isNew || was !== protocol) for (const listener of [...this.#changed]) listener([...new Set([protocol, was])]);
    if (isNew) for (const listener of [...this.#listeners]) listener(protocol);
    return answer;
  }

  async #write(uid: DeviceUid, writes: readonly ChildWrite[]): Promise<void> {
    const target = this.#targets.get(uid);
    const link = target && this.#linkOf(target.connection.uid);
    if (target === undefined || !link)
      throw new AppError("mapper/stopped", "Cannot write: no DMI mapper has the device");
    await link.write(dmiKey(this.#targets.namespace, target.device.name), writes);
  }

  #linkOf(connection: ConnectionUid): MapperLink | null {
    const name = this.#served.get(connection);
    return name ? (this.#links.get(name) ?? null) : null;
  }

  #trouble(uid: ConnectionUid): { readonly code: ErrorCode; readonly message: string } | null {
    const link = this.#linkOf(uid);
    if (link?.isUp === true) return null;
    if (link !== null) return { code: "mapper/stopped", message: noneRuns([link]) };
    const wanted = String(this.#targets.connection(uid)?.settings.mapper ?? "");
    return { code: "mapper/not-found", message: `No DMI mapper "${wanted}" has registered` };
  }

  #linkChanged(link: MapperLink): void {
    if (this.#isClosed) return;
    this.#registrations.changed();
    this.#metrics.running.set([...this.#links.values()].filter(({ isUp }) => isUp).length);
    this.#assign();
    this.#runsChanged(protocolLabel(link.registration.protocol));
  }

  /** Other mappers of a protocol run than before. */
  #runsChanged(protocol: string): void {
    const links = this.#linksOf(protocol);
    const child = this.#children.get(protocol);
    if (!links.some(({ isUp }) => isUp)) {
      this.#children.delete(protocol);
      child?.exit(noneRuns(links));
    } else if (child === undefined) for (const listener of [...this.#listeners]) listener(protocol);
    else child.servedChanged();
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
      const asked = this.#targets
        .connectionsOf(protocol)
        .map(({ uid, settings }) => ({ uid, mapper: settings.mapper }));
      for (const [uid, name] of assignConnections(asked, candidates)) this.#served.set(uid, name);
    }
    if (this.#targets.isKnown) for (const link of this.#links.values()) link.want(this.#wantedOf(link));
    this.#away();
    if (!Number.isFinite(wakeInMs)) return;
    this.#away = this.#options.clock.after(wakeInMs + 1, () => {
      this.#assign();
      for (const child of this.#children.values()) child.servedChanged();
    });
  }

  #wantedOf({ registration: { name, protocol } }: MapperLink): Map<string, WantedDevice> {
    return this.#targets.wanted(protocol, (connection) => this.#served.get(connection) === name);
  }
}

function noneRuns(links: readonly MapperLink[]): string {
  if (links.length === 0) return "No DMI mapper of the protocol is left";
  const names = links.map(({ registration: { name } }) => `"${name}"`).join(", ");
  return `DMI mapper ${names} does not run`;
}
