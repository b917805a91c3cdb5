import type {
  AssignedSet,
  ConnectionUid,
  DeviceUid,
  EffectiveConnection,
  EffectiveDevice,
  EffectiveProperty,
} from "@penstock/model";
import { dmiKey } from "./dmi-device.ts";
import type { WantedDevice } from "./mapper-link.ts";
import { printOf } from "./print-of.ts";

/** A device whose protocol a DMI mapper serves. */
export interface Target {
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly properties: ReadonlyMap<string, EffectiveProperty>;
}

/** What of the assigned set DMI mappers serve, by uid and by the name that mappers know. */
export class Targets {
  #set: AssignedSet | null = null;
  #connections = new Map<ConnectionUid, EffectiveConnection>();
  #byUid = new Map<DeviceUid, Target>();
  #byName = new Map<string, Target>();
  readonly #prints = new WeakMap<
    EffectiveDevice,
    { readonly connection: EffectiveConnection; readonly print: string }
  >();

  /** false until the gateway knows what it shall do */
  get isKnown(): boolean {
    return this.#set !== null;
  }

  /** what DMI calls a namespace */
  get namespace(): string {
    return this.#set?.tenant.name ?? "";
  }

  apply(set: AssignedSet, serves: (protocol: string) => boolean): void {
    this.#set = set;
    this.#connections = new Map(set.connections.map((connection) => [connection.uid, connection]));
    this.index(serves);
  }

  /** Other protocols are served than before. */
  index(serves: (protocol: string) => boolean): void {
    this.#byUid = new Map();
    this.#byName = new Map();
    for (const device of this.#set?.devices ?? []) {
      const connection = this.#connections.get(device.connection);
      if (connection === undefined || !serves(connection.protocol)) continue;
      const target = { device, connection, properties: new Map(device.properties.map((one) => [one.name, one])) };
      this.#byUid.set(device.uid, target);
      this.#byName.set(dmiKey(this.namespace, device.name), target);
    }
  }

  get(device: DeviceUid): Target | undefined {
    return this.#byUid.get(device);
  }

  /** A mapper that leaves the namespace out has but one tenant to mean. */
  named(namespace: string, name: string): Target | undefined {
    return this.#byName.get(dmiKey(namespace === "" ? this.namespace : namespace, name));
  }

  connection(uid: ConnectionUid): EffectiveConnection | undefined {
    return this.#connections.get(uid);
  }

  connectionsOf(protocol: string): EffectiveConnection[] {
    return [...this.#connections.values()].filter((one) => one.protocol === protocol);
  }

  /**
   * What a mapper shall hold, by the names it knows.
   *
   * @param protocol  as the mapper writes it
   */
  wanted(protocol: string, isIts: (connection: ConnectionUid) => boolean): Map<string, WantedDevice> {
    const wanted = new Map<string, WantedDevice>();
    const { namespace } = this;
    for (const { device, connection } of this.#byUid.values()) {
      if (!isIts(connection.uid)) continue;
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
