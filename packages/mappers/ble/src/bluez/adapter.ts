import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { DBusValue } from "../dbus/body-reader.ts";
import type { Written } from "../dbus/body-writer.ts";
import { Bus, busItself } from "../dbus/bus.ts";
import type { BusAddress } from "../dbus/bus-address.ts";
import type { InMessage } from "../dbus/message.ts";
import { bluezError } from "./bluez-error.ts";
import { adapterInterface, bluezName, managerInterface, propertiesInterface } from "./names.ts";
import { isTrue, type ObjectChange, Objects, textOf } from "./objects.ts";

export interface AdapterOptions {
  readonly address: BusAddress;
  /** "hci0" or the adapter's own address */
  readonly name: string;
  readonly powerOn: boolean;
  readonly clock: DriverClock;
  readonly log: DriverLog;
  readonly signal: AbortSignal;
  /** of each answer */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** at most once: the bus, bluetoothd or the adapter is gone */
  readonly lost: (error: AppError) => void;
}
export interface AskOptions {
  readonly what: string;
  readonly signature?: string;
  readonly body?: readonly Written[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Three rules for all that is ever told, however many devices and subscriptions there are: none is added later, so none
 * can be left behind, and the bus forgets them with the connection.
 */
const rules = [
  `type='signal',sender='${busItself.destination}',member='NameOwnerChanged',arg0='${bluezName}'`,
  `type='signal',sender='${bluezName}',interface='${managerInterface}'`,
  `type='signal',sender='${bluezName}',interface='${propertiesInterface}',member='PropertiesChanged'`,
];

/** A Bluetooth adapter of this machine, by way of bluetoothd, and all that bluetoothd says of what it sees. */
export class Adapter {
  readonly objects = new Objects();
  readonly #options: AdapterOptions;
  readonly #watchers = new Set<(change: ObjectChange) => void>();
  /** bluetoothd's own name on the bus: nobody else is believed */
  #owner = "";
  #isOpen = false;
  #bus: Bus | null = null;
  #lostBefore: AppError | null = null;
  path = "";

  private constructor(options: AdapterOptions) {
    this.#options = options;
  }

  /** @throws AppError mapper/connect-failed, mapper/bad-address when there is no such adapter, aborted */
  static async open(options: AdapterOptions): Promise<Adapter> {
    const adapter = new Adapter(options);
    try {
      await adapter.#open();
      return adapter;
    } catch (cause) {
      await adapter.close();
      const error = bluezError(cause, "reach bluetoothd");
      if (error.code === "aborted" || error.code === "mapper/connect-failed") throw error;
      if (error.code === "mapper/bad-address") throw error;
      throw new AppError("mapper/connect-failed", error.message, { cause: error });
    }
  }

  /** Until the returned function is called. Told synchronously, in the order of the bus. */
  watch(watcher: (change: ObjectChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** @throws AppError with a `mapper/…` code, or aborted */
  async ask(path: string, name: string, member: string, options: AskOptions): Promise<readonly DBusValue[]> {
    const { what, timeoutMs = this.#options.timeoutMs, signal, ...rest } = options;
    const call = { destination: bluezName, path, interface: name, member, ...rest };
    try {
      return await this.#mustBus().call(call, { timeoutMs, ...(signal !== undefined && { signal }) });
    } catch (cause) {
      throw bluezError(cause, what);
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#watchers.clear();
    await this.#bus?.close();
  }

  async #open(): Promise<void> {
    const { address, clock, signal, timeoutMs, connectTimeoutMs, name, powerOn } = this.#options;
    this.#bus = await Bus.connect({
      ...{ address, clock, signal, timeoutMs: connectTimeoutMs },
      onSignal: (message) => this.#hear(message),
      ended: (error) => this.#lose(error),
    });
    const bus = this.#bus;
    const options = { timeoutMs, signal };
    for (const rule of rules) {
      await bus.call({ ...busItself, member: "AddMatch", signature: "s", body: [rule] }, options);
    }
    const [owner] = await bus.call(
      { ...busItself, member: "GetNameOwner", signature: "s", body: [bluezName] },
      {
        ...options,
        taken: ([one]) => {
          if (typeof one === "string") this.#owner = one;
        },
      },
    );
    if (typeof owner !== "string") throw new AppError("mapper/bad-answer", "Cannot tell who bluetoothd is");
    await bus.call(
      { destination: bluezName, path: "/", interface: managerInterface, member: "GetManagedObjects" },
      { ...options, timeoutMs: connectTimeoutMs, taken: (body) => this.objects.replace(body) },
    );
    this.path = this.#find(name);
    if (!isTrue(this.objects.of(this.path, adapterInterface), "Powered")) {
      if (!powerOn) throw new AppError("mapper/connect-failed", `Cannot use adapter "${name}": it is switched off`);
      await this.#set("Powered", { signature: "b", value: true });
    }
    if (this.#lostBefore !== null) throw this.#lostBefore;
    this.#isOpen = true;
  }

  #find(name: string): string {
    const all = this.objects.with(adapterInterface);
    const wanted = name.toUpperCase().replaceAll("-", ":");
    const found = all.find(
      (path) =>
        path.endsWith(`/${name}`) ||
        textOf(this.objects.of(path, adapterInterface), "Address")?.toUpperCase() === wanted,
    );
    if (found !== undefined) return found;
    const there = all.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(", ");
    throw new AppError(
      "mapper/connect-failed",
      `Cannot use adapter "${name}": there is ${there === "" ? "none" : `only ${there}`}`,
    );
  }

  async #set(property: string, value: Written): Promise<void> {
    await this.ask(this.path, propertiesInterface, "Set", {
      ...{
        what: `switch on adapter "${this.#options.name}"`,
        signature: "ssv",
        body: [adapterInterface, property, value],
      },
      timeoutMs: this.#options.connectTimeoutMs,
    });
  }

  #mustBus(): Bus {
    if (this.#bus === null) throw new AppError("mapper/connection-lost", "The bus was never reached");
    return this.#bus;
  }

  #hear(message: InMessage): void {
    const { path = "", body, member } = message;
    if (message.sender === busItself.destination && member === "NameOwnerChanged" && body[0] === bluezName) {
      if (this.#owner !== "" && body[2] !== this.#owner)
        this.#lose(new AppError("mapper/connection-lost", "Lost bluetoothd: it has ended or was started again"));
      return;
    }
    if (message.sender !== this.#owner || this.#owner === "") return;
    const { refused } = this.objects;
    for (const change of this.#changes(member, path, body)) {
      if (this.#isOpen && change.path === this.path && change.interface === adapterInterface) this.#lookAtPower(change);
      for (const watcher of [...this.#watchers]) watcher(change);
    }
    if (refused === 0 && this.objects.refused > 0)
      this.#options.log.warn({ adapter: this.#options.name }, "Too much is around: what comes further is not seen");
  }

  #changes(member: string | undefined, path: string, body: readonly DBusValue[]): ObjectChange[] {
    if (member === "PropertiesChanged") return this.objects.changed(path, body);
    if (member === "InterfacesAdded") return this.objects.added(body);
    if (member === "InterfacesRemoved") return this.objects.removed(body);
    return [];
  }

  #lookAtPower({ changed }: ObjectChange): void {
    const isOff = changed?.get("Powered") === false;
    if (changed !== null && !isOff) return;
    const why = isOff ? "was switched off" : "is gone";
    this.#lose(new AppError("mapper/connection-lost", `Lost adapter "${this.#options.name}": it ${why}`));
  }

  #lose(error: AppError): void {
    if (!this.#isOpen) {
      this.#lostBefore = error;
      return;
    }
    this.#isOpen = false;
    this.#options.lost(error);
  }
}
