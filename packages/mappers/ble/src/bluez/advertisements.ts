import type { DriverClock, PointResult } from "@penstock/mapper-sdk";
import { AppError, type ValueType } from "@penstock/model";
import { type Converted, converter, numberReader } from "../convert/converter.ts";
import type { DBusValue } from "../dbus/body-reader.ts";
import type { Visitor } from "../fields.ts";
import { fullUuid } from "../uuid.ts";
import type { Adapter } from "./adapter.ts";
import { deviceInterface } from "./names.ts";
import type { Properties } from "./objects.ts";

/** The property of org.bluez.Device1 that each source is. */
const propertyOf = {
  manufacturer: "ManufacturerData",
  service: "ServiceData",
  rssi: "RSSI",
  txPower: "TxPower",
  name: "Name",
} as const;
export type Source = keyof typeof propertyOf;

function sourceOf({ source }: Pick<Visitor, "source">): Source {
  return source ?? "manufacturer";
}

/** A source and how it is read. @throws AppError mapper/unsupported */
export function advertReader(visitor: Visitor, type: ValueType): (device: Properties) => Converted {
  const source = sourceOf(visitor);
  const name = propertyOf[source];
  const none: Converted = { value: null, reason: "mapper/device-offline" };
  const wrong: Converted = { value: null, reason: "mapper/bad-answer" };
  if (source === "name") {
    return (device) => {
      const value = device.get(name);
      return value === undefined ? none : typeof value === "string" ? { value } : wrong;
    };
  }
  if (source === "rssi" || source === "txPower") {
    const read = numberReader(visitor, type);
    return (device) => {
      const value = device.get(name);
      return value === undefined ? none : typeof value === "number" ? read(value) : wrong;
    };
  }
  const { read } = converter(visitor, type);
  return (device) => {
    const all = device.get(name);
    if (all === undefined) return none;
    if (!(all instanceof Map)) return wrong;
    const data = all as ReadonlyMap<DBusValue, DBusValue>;
    const { company, service } = visitor;
    const isOnly = source === "manufacturer" && company === undefined && data.size === 1;
    const value = isOnly
      ? [...data.values()][0]
      : data.get(source === "service" ? fullUuid(service ?? "") : (company ?? -1));
    if (value === undefined) return none;
    return value instanceof Uint8Array ? read(value) : wrong;
  };
}

const sentEachTime = new Set<string>([propertyOf.manufacturer, propertyOf.service]);

/**
 * Whether these changes are news of the source. BlueZ tells manufacturer and service data with each advertisement that has
 * them; the others only when they change, so that any advertisement says that they still are what they were.
 *
 * @source BlueZ 5.66, doc/device-api.txt and doc/adapter-api.txt, "DuplicateData"
 */
function isHeard(changed: { has(property: string): boolean }, source: Source): boolean {
  const own = propertyOf[source];
  return sentEachTime.has(own) ? changed.has(own) : Object.values(propertyOf).some((property) => changed.has(property));
}

const sources = Object.keys(propertyOf) as Source[];

/** When the adapter heard each device last. */
export class Advertisements {
  readonly #adapter: Adapter;
  readonly #clock: DriverClock;
  /** monotonic, by the device's path and source; forgotten with the device */
  readonly #heard = new Map<string, Map<string, number>>();
  readonly #unwatch: () => void;

  constructor(adapter: Adapter, clock: DriverClock) {
    this.#adapter = adapter;
    this.#clock = clock;
    this.#unwatch = adapter.watch(({ path, interface: name, changed }) => {
      if (name !== deviceInterface) return;
      if (changed === null) this.#heard.delete(path);
      else this.#hear(path, changed);
    });
  }

  #hear(path: string, changed: { has(property: string): boolean }): void {
    const heard = this.#heard.get(path) ?? new Map<string, number>();
    for (const source of sources) if (isHeard(changed, source)) heard.set(source, this.#clock.monotonic());
    if (heard.size > 0) this.#heard.set(path, heard);
  }

  /** What the device said last of this source, unless it is too long ago. */
  read(
    path: string | null,
    visitor: Pick<Visitor, "source" | "maxAge">,
    reader: (device: Properties) => Converted,
  ): PointResult {
    const at = path === null ? undefined : this.#heard.get(path)?.get(sourceOf(visitor));
    // A timer of `maxAge` may fire within its last millisecond: then too it was too long ago.
    if (path === null || at === undefined || this.#clock.monotonic() - at > (visitor.maxAge - 1) * 1000)
      return { value: null, reason: "mapper/device-offline" };
    return { ...reader(this.#adapter.objects.of(path, deviceInterface)), monotonic: at };
  }

  /**
   * Tells each advertisement that has the source, and silence of `maxAge` once.
   *
   * @param find  path of the device; null while it is unknown
   */
  watch(
    visitor: Visitor,
    type: ValueType,
    { find, tell }: { readonly find: () => string | null; readonly tell: (result: PointResult) => void },
  ): () => void {
    const reader = advertReader(visitor, type);
    const source = sourceOf(visitor);
    const property = propertyOf[source];
    const found = () => {
      try {
        return find();
      } catch (error) {
        const reason = error instanceof AppError ? error.code : "internal";
        tell({ value: null, reason: reason as "mapper/bad-address" });
        return null;
      }
    };
    let cancel = () => {};
    let isSilent = false;
    const wait = () => {
      cancel();
      isSilent = false;
      cancel = this.#clock.after(visitor.maxAge, () => {
        isSilent = true;
        tell({ value: null, reason: "mapper/device-offline" });
      });
    };
    wait();
    tell(this.read(found(), visitor, reader));
    const unwatch = this.#adapter.watch((change) => {
      const { changed } = change;
      if (change.interface !== deviceInterface || changed === null || !isHeard(changed, source)) return;
      if (found() !== change.path) return;
      const isNews = isSilent || changed.has(property);
      wait();
      if (isNews) tell(this.read(change.path, visitor, reader));
    });
    return () => {
      cancel();
      unwatch();
    };
  }

  close(): void {
    this.#unwatch();
  }
}
