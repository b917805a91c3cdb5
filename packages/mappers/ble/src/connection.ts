import type {
  BrowsedNode,
  Browses,
  CallOptions,
  MapperConnection,
  OpenContext,
  Point,
  PointResult,
  SubscribeOptions,
  Subscribes,
} from "@penstock/mapper-sdk";
import { AppError, type ErrorCode, type Value } from "@penstock/model";
import { Adapter } from "./bluez/adapter.ts";
import { Advertisements, advertReader } from "./bluez/advertisements.ts";
import { findCharacteristic } from "./bluez/gatt.ts";
import { Scanner } from "./bluez/scanner.ts";
import { sharedTurns } from "./bluez/turns.ts";
import { browse } from "./browse.ts";
import { type Converter, converter } from "./convert/converter.ts";
import { Device } from "./device.ts";
import type { Address, ConnectionSettings, Visitor } from "./fields.ts";
import { openOptions } from "./open-options.ts";

export type BlePoint = Point<Address, Visitor>;
const file = "mappers/ble/src/connection.ts";
/** more than any controller keeps connected or hears; each waits for its turn to be connected */
const mostDevices = 10_000;

/** @throws AppError mapper/connect-failed, mapper/bad-address, aborted */
export async function openConnection(settings: ConnectionSettings, context: OpenContext): Promise<BleConnection> {
  let connection: BleConnection | null = null;
  const options = openOptions(settings, context);
  const adapter = await Adapter.open({ ...options.adapter, lost: (error) => connection?.lose(error) });
  connection = new BleConnection({ adapter, settings, context });
  return connection;
}

/** The devices that one Bluetooth adapter reaches. */
export class BleConnection implements MapperConnection<Address, Visitor>, Subscribes<Address, Visitor>, Browses {
  readonly #adapter: Adapter;
  readonly #settings: ConnectionSettings;
  readonly #context: OpenContext;
  readonly #scanner: Scanner;
  readonly #advertisements: Advertisements;
  readonly #connecting: ReturnType<typeof sharedTurns>;
  readonly #devices = new Map<string, Device>();
  readonly #converters = new WeakMap<BlePoint, Converter>();
  #keepScanning = () => {};

  constructor(options: {
    readonly adapter: Adapter;
    readonly settings: ConnectionSettings;
    readonly context: OpenContext;
  }) {
    const { adapter, settings, context } = options;
    this.#adapter = adapter;
    this.#settings = settings;
    this.#context = context;
    const { clock, log } = context;
    this.#scanner = new Scanner({ adapter, clock, log, leastRssi: settings.leastRssi });
    this.#advertisements = new Advertisements(adapter, clock);
    const { bus } = openOptions(settings, context);
    this.#connecting = sharedTurns(`${bus}\n${adapter.path}`, mostDevices);
    if (settings.scan === "always") this.#keepScanning = this.#scanner.want();
  }

  /** The bus, bluetoothd or the adapter has gone; whoever waits has heard of it from them. */
  lose(error: AppError): void {
    this.#context.lost(error);
  }

  async read(points: readonly BlePoint[], { signal, trace }: CallOptions): Promise<readonly PointResult[]> {
    // Properties that lie in one characteristic are read together, so that they belong together.
    const asked = new Map<string, Promise<Uint8Array>>();
    const results = await Promise.all(points.map((point) => this.#readOne(point, asked, signal)));
    if (signal.aborted) throw new AppError("aborted", "Nobody waits any more", { cause: signal.reason });
    trace?.(file, "The devices were asked");
    return results;
  }

  async write(point: BlePoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    const { needsPresent, write } = this.#converter(point);
    // What cannot fit is refused before the device is looked for.
    if (!needsPresent) write(value);
    const device = this.#device(point.address);
    const path = await this.#characteristic(device, point.visitor, signal);
    const bytesFor = (present?: Uint8Array) => write(value, present);
    await device.gatt.write(path, bytesFor, { needsPresent, reply: point.visitor.reply, signal });
    trace?.(file, "The device was written");
  }

  async subscribe(points: readonly BlePoint[], options: SubscribeOptions): Promise<void> {
    const { each, ended, signal, trace } = options;
    const devices = new Set(points.filter(isLinked).map((point) => this.#device(point.address)));
    // Those that are not there now are told as offline, and subscribed to when they are.
    await Promise.all([...devices].map((device) => device.link.ready(signal).catch(() => {})));
    if (ended.aborted || signal.aborted) throw new AppError("aborted", "Nobody wants the values any more");
    const stops: (() => void)[] = [];
    const stopAll = () => {
      for (const stop of stops) stop();
    };
    ended.addEventListener("abort", stopAll, { once: true });
    const begun = points.map((point, row) => {
      const tell = (result: PointResult) => {
        if (!ended.aborted) each(row, result);
      };
      try {
        if (!isLinked(point)) return void stops.push(this.#watchAdvert(point, tell));
        const { begun, stop } = this.#device(point.address).listen(point.visitor, this.#converter(point), tell);
        stops.push(stop);
        return begun;
      } catch (error) {
        return void tell({ value: null, reason: codeOf(error) });
      }
    });
    await Promise.all(begun);
    trace?.(file, "The devices tell by themselves");
  }

  browse(path: readonly string[], { signal }: CallOptions): Promise<readonly BrowsedNode[]> {
    const deviceAt = (mac: string, addressType?: "public" | "random") =>
      this.#device({ by: "mac", mac, name: undefined, service: undefined, addressType });
    const { scan, scanSeconds } = this.#settings;
    const options = {
      adapter: this.#adapter,
      scanner: scan === "never" ? null : this.#scanner,
      scanMs: scanSeconds * 1000,
    };
    return browse(path, { ...options, clock: this.#context.clock, signal, deviceAt });
  }

  async close(): Promise<void> {
    this.#keepScanning();
    this.#scanner.close();
    this.#advertisements.close();
    await Promise.all([...this.#devices.values()].map((device) => device.close()));
    this.#connecting.release();
    await this.#adapter.close();
  }

  async #readOne(point: BlePoint, asked: Map<string, Promise<Uint8Array>>, signal: AbortSignal): Promise<PointResult> {
    const { visitor } = point;
    try {
      const device = this.#device(point.address);
      if (!isLinked(point)) {
        device.hear(this.#settings.scan === "never" ? null : this.#scanner);
        return this.#advertisements.read(device.link.find(), visitor, advertReader(visitor, point.type));
      }
      const { read } = this.#converter(point);
      const path = await this.#characteristic(device, visitor, signal);
      const bytes = asked.get(path) ?? device.gatt.read(path, { signal });
      asked.set(path, bytes);
      const answer = await bytes;
      return { ...read(answer), monotonic: this.#context.clock.monotonic() };
    } catch (error) {
      return { value: null, reason: codeOf(error) };
    }
  }

  async #characteristic(device: Device, visitor: Visitor, signal: AbortSignal): Promise<string> {
    await device.link.ready(signal);
    return findCharacteristic(this.#adapter.objects, device.link.path ?? "", visitor);
  }

  #watchAdvert(point: BlePoint, tell: (result: PointResult) => void): () => void {
    const { link } = this.#device(point.address);
    const stopScan = this.#settings.scan === "never" ? () => {} : this.#scanner.want();
    const unwatch = this.#advertisements.watch(point.visitor, point.type, { find: () => link.find(), tell });
    return () => {
      unwatch();
      stopScan();
    };
  }

  #converter(point: BlePoint): Converter {
    const made = this.#converters.get(point) ?? converter(point.visitor, point.type);
    this.#converters.set(point, made);
    return made;
  }

  #device(address: Address): Device {
    const { by, mac, name, service, addressType } = address;
    const key = JSON.stringify([by, mac?.toUpperCase().replaceAll("-", ":"), name, service, addressType]);
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    if (this.#devices.size >= mostDevices)
      throw new AppError("mapper/unsupported", `Cannot reach a further device: ${mostDevices} are in use`);
    const { device: options } = openOptions(this.#settings, this.#context);
    const device = new Device({
      ...{ ...options, address, adapter: this.#adapter, scanner: this.#scanner },
      connecting: this.#connecting.turns,
    });
    this.#devices.set(key, device);
    return device;
  }
}

function isLinked({ visitor }: BlePoint): boolean {
  return visitor.mode !== "advertisement";
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof AppError ? error.code : "internal";
}
