import type { DeviceUid } from "@penstock/model";

/** What a rule reads. */
export interface ReaderEnds {
  readonly devices: readonly DeviceUid[];
  readonly streams: readonly string[];
}

/** Rules by id and by what they read, in the order in which they came first. */
export class Readers<T> {
  readonly #endsOf: (one: T) => ReaderEnds;
  readonly #all = new Map<string, T>();
  /** null: to be made when it is asked for, once for however many rules have changed */
  #index: { readonly byDevice: Map<DeviceUid, T[]>; readonly byStream: Map<string, T[]> } | null = null;

  constructor(endsOf: (one: T) => ReaderEnds) {
    this.#endsOf = endsOf;
  }

  values(): Iterable<T> {
    return this.#all.values();
  }

  get(id: string): T | undefined {
    return this.#all.get(id);
  }

  set(id: string, one: T): void {
    this.#all.set(id, one);
    this.#index = null;
  }

  delete(id: string): boolean {
    this.#index = null;
    return this.#all.delete(id);
  }

  ofDevice(device: DeviceUid): readonly T[] {
    return this.#indexed().byDevice.get(device) ?? [];
  }

  ofStream(stream: string): readonly T[] {
    return this.#indexed().byStream.get(stream) ?? [];
  }

  reads(input: { readonly device: DeviceUid } | { readonly stream: string }): boolean {
    const { byDevice, byStream } = this.#indexed();
    return "device" in input ? byDevice.has(input.device) : byStream.has(input.stream);
  }

  #indexed() {
    if (this.#index !== null) return this.#index;
    const index = { byDevice: new Map<DeviceUid, T[]>(), byStream: new Map<string, T[]>() };
    for (const one of this.#all.values()) {
      const { devices, streams } = this.#endsOf(one);
      for (const device of new Set(devices)) addTo(index.byDevice, device, one);
      for (const stream of new Set(streams)) addTo(index.byStream, stream, one);
    }
    this.#index = index;
    return index;
  }
}

function addTo<Key, T>(groups: Map<Key, T[]>, key: Key, one: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [one]);
  else group.push(one);
}
