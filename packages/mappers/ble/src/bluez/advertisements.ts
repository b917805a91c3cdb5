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

/** A source and how it is read. @throws AppError mapper/unsupported */
export function advertReader(visitor: Visitor, type: ValueType): (device: Properties) => Converted {
  const source = visitor.source ?? "manufacturer";
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

/** When the adapter heard each device last. */
export class Advertisements {
  readonly #adapter: Adapter;
  readonly #clock: DriverClock;
  /** monotonic, by the device's path; forgotten with the device */
  readonly #heard = new Map<string, number>();
  readonly #unwatch: () => void;

  constructor(adapter: Adapter, clock: DriverClock) {
    this.#adapter = adapter;
    this.#clock = clock;
    this.#unwatch = adapter.watch(({ path, interface: name, changed }) => {
      if (name !== deviceInterface) return;
      if (changed === null) this.#heard.delete(path);
      else if (Object.values(propertyOf).some((property) => changed.has(property)))
        this.#heard.set(path, clock.monotonic());
    });
  }

  /** What the device said last, unless it is too long ago. */
  read(path: string | null, maxAgeMs: number, reader: (device: Properties) => Converted): PointResult {
    const at = path === null ? undefined : this.#heard.get(path);
    if (path === null || at === undefined || this.#clock.monotonic() - at > maxAgeMs * 1000)
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
    const property = propertyOf[visitor.source ?? "manufacturer"];
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
    const wait = () => {
      cancel();
      cancel = this.#clock.after(visitor.maxAge, () => tell({ value: null, reason: "mapper/device-offline" }));
    };
    wait();
    tell(this.read(found(), visitor.maxAge, reader));
    const unwatch = this.#adapter.watch((change) => {
      if (change.interface !== deviceInterface || change.changed?.has(property) !== true) return;
      if (found() !== change.path) return;
      wait();
      tell(this.read(change.path, visitor.maxAge, reader));
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
