import { type Message as BusMessage, Message, type MessageBus, Variant } from "@jellybrick/dbus-next";

export interface PlayedCharacteristic {
  readonly uuid: string;
  readonly flags: readonly string[];
  readonly value?: readonly number[];
}
export interface PlayedDevice {
  readonly mac: string;
  readonly name?: string;
  readonly addressType?: "public" | "random";
  readonly rssi?: number;
  readonly uuids?: readonly string[];
  readonly manufacturer?: Readonly<Record<number, readonly number[]>>;
  /** uuid of a service → its characteristics */
  readonly services?: Readonly<Record<string, readonly PlayedCharacteristic[]>>;
}
/** How a method behaves from now on; the first that fits counts. */
export interface Behaviour {
  readonly member: string;
  /** end of the path; any when missing */
  readonly path?: string;
  readonly silent?: boolean;
  readonly error?: string;
  /** answered after so long */
  readonly delayMs?: number;
  /** an answer of any type, in place of the right one */
  readonly raw?: { readonly signature: string; readonly body: readonly unknown[] };
  /** how often; always when missing */
  readonly times?: number;
}
export type Order =
  | { readonly do: "device"; readonly device: PlayedDevice }
  | { readonly do: "forget"; readonly mac: string }
  | { readonly do: "drop"; readonly mac: string }
  | { readonly do: "value"; readonly path: string; readonly bytes: readonly number[] }
  | {
      readonly do: "advertise";
      readonly mac: string;
      readonly manufacturer?: PlayedDevice["manufacturer"];
      readonly rssi?: number;
    }
  | { readonly do: "behave"; readonly behaviours: readonly Behaviour[] }
  | {
      readonly do: "signal";
      readonly path: string;
      readonly interface: string;
      readonly member: string;
      readonly signature: string;
      readonly body: readonly unknown[];
    }
  | { readonly do: "power"; readonly on: boolean }
  /** bluetoothd ends and is started again: its name goes, its memory with it */
  | { readonly do: "restart" }
  /** how many match rules the bus keeps for all of its clients */
  | { readonly do: "rules" }
  | { readonly do: "log" };
/** What it was asked, in order: "Connect /org/bluez/hci0/dev_…". */
export interface Logged {
  readonly log: readonly string[];
  readonly written: readonly { readonly path: string; readonly bytes: readonly number[]; readonly how: string }[];
  readonly discovering: boolean;
}

type Props = Record<string, Variant>;
const adapterPath = "/org/bluez/hci0";
const v = (signature: string, value: unknown) => new Variant(signature, value);
const adapterName = "org.bluez.Adapter1";
const deviceName = "org.bluez.Device1";
const serviceName = "org.bluez.GattService1";
const characteristicName = "org.bluez.GattCharacteristic1";

/**
 * bluetoothd, played on a real bus. It speaks through another library than the mapper does, so that a mistake cannot hide on
 * both ends.
 */
export class Bluetoothd {
  /** gives an answer in its place; true when that was done */
  intercept: (message: BusMessage) => boolean = () => false;
  readonly #bus: MessageBus;
  readonly #objects = new Map<string, Map<string, Props>>();
  /** devices that are around: seen once somebody looks */
  readonly #around = new Map<string, PlayedDevice>();
  readonly #values = new Map<string, Buffer>();
  #behaviours: (Behaviour & { left: number })[] = [];
  #log: string[] = [];
  #written: { path: string; bytes: number[]; how: string }[] = [];
  #isLooking = false;

  constructor(bus: MessageBus) {
    this.#bus = bus;
    this.#powerUp();
    bus.addMethodHandler((message: BusMessage) => this.#asked(message));
  }

  #powerUp(): void {
    this.#objects.set(
      adapterPath,
      new Map([[adapterName, { Address: v("s", "00:1A:7D:DA:71:13"), Powered: v("b", true) }]]),
    );
  }

  async take(order: Order): Promise<unknown> {
    switch (order.do) {
      case "device": {
        this.#around.set(order.device.mac, order.device);
        if (this.#isLooking) this.#see(order.device);
        return;
      }
      case "forget":
        this.#around.delete(order.mac);
        return this.#removeBelow(devicePath(order.mac));
      case "drop":
        return this.#setConnected(devicePath(order.mac), false);
      case "value": {
        const bytes = Buffer.from(order.bytes);
        this.#values.set(order.path, bytes);
        return this.#change(order.path, characteristicName, { Value: v("ay", bytes) });
      }
      case "advertise": {
        const props: Props = {};
        if (order.manufacturer !== undefined) props.ManufacturerData = manufacturerData(order.manufacturer);
        if (order.rssi !== undefined) props.RSSI = v("n", order.rssi);
        return this.#change(devicePath(order.mac), deviceName, props);
      }
      case "behave":
        this.#behaviours = order.behaviours.map((one) => ({ ...one, left: one.times ?? Number.POSITIVE_INFINITY }));
        return;
      case "signal": {
        const { path, member, signature, body } = order;
        this.#bus.send(Message.newSignal(path, order.interface, member, signature, revived(body) as unknown[]));
        return;
      }
      case "power":
        return this.#change(adapterPath, adapterName, { Powered: v("b", order.on) });
      case "restart":
        this.#objects.clear();
        this.#isLooking = false;
        await this.#bus.releaseName("org.bluez");
        this.#powerUp();
        await this.#bus.requestName("org.bluez");
        return;
      case "rules": {
        const [destination, path] = ["org.freedesktop.DBus", "/org/freedesktop/DBus"];
        const what = { interface: "org.freedesktop.DBus.Debug.Stats", member: "GetAllMatchRules" };
        const reply = await this.#bus.call(new Message({ destination, path, ...what }));
        return Object.values(reply!.body[0] as Record<string, string[]>).flat().length;
      }
      case "log": {
        const logged: Logged = { log: this.#log, written: this.#written, discovering: this.#isLooking };
        this.#log = [];
        this.#written = [];
        return logged;
      }
    }
  }

  #asked(message: BusMessage): boolean {
    const { member, path } = message;
    this.#log.push(`${member} ${path}`);
    if (this.intercept(message)) return true;
    const behaviour = this.#behaviours.find(
      (one) => one.member === member && one.left > 0 && (one.path === undefined || path.endsWith(one.path)),
    );
    if (behaviour !== undefined) behaviour.left--;
    if (behaviour?.silent === true) return true;
    const answer = () => {
      if (behaviour?.error !== undefined) this.#bus.send(Message.newError(message, behaviour.error, "as played"));
      else if (behaviour?.raw !== undefined) {
        const { signature, body } = behaviour.raw;
        this.#bus.send(Message.newMethodReturn(message, signature, revived(body) as unknown[]));
      } else this.#answer(message);
    };
    if (behaviour?.delayMs === undefined) answer();
    else setTimeout(answer, behaviour.delayMs);
    return true;
  }

  #answer(message: BusMessage): unknown {
    const { path, member, body } = message;
    const reply = (signature = "", values: unknown[] = []) =>
      this.#bus.send(Message.newMethodReturn(message, signature, values));
    const fail = (name: string) => this.#bus.send(Message.newError(message, name, "as played"));
    const connected = () => this.#objects.get(path.slice(0, 37))?.get(deviceName)?.Connected?.value === true;
    switch (member) {
      case "GetManagedObjects":
        return reply("a{oa{sa{sv}}}", [
          Object.fromEntries([...this.#objects].map(([one, interfaces]) => [one, Object.fromEntries(interfaces)])),
        ]);
      case "Set": {
        const [name, property, value] = body as [string, string, Variant];
        this.#change(path, name, { [property]: value });
        return reply();
      }
      case "SetDiscoveryFilter":
        return reply();
      case "StartDiscovery":
        this.#isLooking = true;
        reply();
        for (const device of this.#around.values()) this.#see(device);
        return undefined;
      case "StopDiscovery":
        this.#isLooking = false;
        return reply();
      case "Connect":
        if (!this.#objects.has(path)) return fail("org.freedesktop.DBus.Error.UnknownObject");
        this.#setConnected(path, true);
        return reply();
      case "Disconnect":
        this.#setConnected(path, false);
        return reply();
    }
    if (!this.#objects.get(path)?.has(characteristicName)) return fail("org.freedesktop.DBus.Error.UnknownObject");
    if (!connected()) return fail("org.bluez.Error.NotConnected");
    switch (member) {
      case "ReadValue":
        return reply("ay", [this.#values.get(path) ?? Buffer.alloc(0)]);
      case "WriteValue": {
        const [bytes, options] = body as [Buffer, { type?: Variant<string> }];
        this.#written.push({ path, bytes: [...bytes], how: options.type?.value ?? "" });
        this.#values.set(path, Buffer.from(bytes));
        return reply();
      }
      case "StartNotify":
      case "StopNotify":
        this.#change(path, characteristicName, { Notifying: v("b", member === "StartNotify") });
        return reply();
      default:
        return fail("org.freedesktop.DBus.Error.UnknownMethod");
    }
  }

  #see(device: PlayedDevice): void {
    const { mac, name, addressType = "public", rssi, uuids = [], manufacturer } = device;
    if (this.#objects.has(devicePath(mac))) return;
    this.#add(devicePath(mac), deviceName, {
      ...{ Address: v("s", mac), AddressType: v("s", addressType), Adapter: v("o", adapterPath) },
      ...{ Connected: v("b", false), ServicesResolved: v("b", false), UUIDs: v("as", uuids) },
      ...(name !== undefined && { Name: v("s", name) }),
      ...(rssi !== undefined && { RSSI: v("n", rssi) }),
      ...(manufacturer !== undefined && { ManufacturerData: manufacturerData(manufacturer) }),
    });
  }

  #setConnected(path: string, isConnected: boolean): void {
    const device = [...this.#around.values()].find(({ mac }) => devicePath(mac) === path);
    const props = this.#objects.get(path)?.get(deviceName);
    if (device === undefined || props === undefined || props.Connected?.value === isConnected) return;
    this.#change(path, deviceName, { Connected: v("b", isConnected) });
    if (!isConnected) {
      this.#change(path, deviceName, { ServicesResolved: v("b", false) });
      for (const one of this.#objects.keys()) {
        if (one.startsWith(`${path}/`) && this.#objects.get(one)?.get(characteristicName)?.Notifying !== undefined)
          this.#change(one, characteristicName, { Notifying: v("b", false) });
      }
      return;
    }
    Object.entries(device.services ?? {}).forEach(([uuid, characteristics], s) => {
      const servicePath = `${path}/service${String(s).padStart(4, "0")}`;
      this.#add(servicePath, serviceName, { UUID: v("s", uuid), Device: v("o", path) });
      characteristics.forEach((one, c) => {
        const charPath = `${servicePath}/char${String(c).padStart(4, "0")}`;
        if (!this.#values.has(charPath)) this.#values.set(charPath, Buffer.from(one.value ?? []));
        this.#add(charPath, characteristicName, {
          ...{ UUID: v("s", one.uuid), Service: v("o", servicePath), Flags: v("as", one.flags) },
        });
      });
    });
    this.#change(path, deviceName, { ServicesResolved: v("b", true) });
  }

  #add(path: string, name: string, props: Props): void {
    if (this.#objects.get(path)?.has(name) === true) return;
    this.#objects.set(path, (this.#objects.get(path) ?? new Map<string, Props>()).set(name, props));
    const body = [path, { [name]: props }];
    this.#bus.send(Message.newSignal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}", body));
  }

  #removeBelow(path: string): void {
    for (const [one, interfaces] of [...this.#objects].reverse()) {
      if (one !== path && !one.startsWith(`${path}/`)) continue;
      this.#objects.delete(one);
      const body = [one, [...interfaces.keys()]];
      this.#bus.send(Message.newSignal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", body));
    }
  }

  #change(path: string, name: string, props: Props): void {
    const held = this.#objects.get(path)?.get(name);
    if (held === undefined) return;
    Object.assign(held, props);
    const signal = Message.newSignal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", [
      ...[name, props, []],
    ]);
    this.#bus.send(signal);
  }
}

function devicePath(mac: string): string {
  return `${adapterPath}/dev_${mac.replaceAll(":", "_")}`;
}

function manufacturerData(given: Readonly<Record<number, readonly number[]>>): Variant {
  const entries = Object.entries(given).map(([company, bytes]) => [company, v("ay", Buffer.from(bytes))]);
  return v("a{qv}", Object.fromEntries(entries));
}

/** Variants and bytes cannot cross a process boundary as themselves. */
function revived(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(revived);
  if (typeof given !== "object" || given === null) return given;
  const { $variant, $bytes } = given as { $variant?: [string, unknown]; $bytes?: number[] };
  if ($bytes !== undefined) return Buffer.from($bytes);
  if ($variant !== undefined) return v($variant[0], revived($variant[1]));
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, revived(value)]));
}
