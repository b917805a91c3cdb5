import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DriverClock,
  type OpenContext,
  openContext,
  type Point,
  type PointResult,
  withDefaults,
} from "@penstock/mapper-sdk";
import { defaultLine, type ValueType } from "@penstock/model";
import type { BleConnection } from "../src/connection.ts";
import type { Address, Visitor } from "../src/fields.ts";
import { ble } from "../src/index.ts";
import type { Behaviour, Logged, Order, PlayedDevice } from "./bluez-process.ts";

/** The machine's: bluetoothd is another process, which moves by it too. */
export const realClock: DriverClock = {
  monotonic: () => performance.now() * 1000,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A message bus of its own, on a socket in a folder of its own. */
export class PlayedBus {
  readonly folder: string;
  readonly address: string;
  readonly #daemon: ChildProcess;

  private constructor(folder: string, daemon: ChildProcess) {
    this.folder = folder;
    this.address = `unix:path=${join(folder, "bus")}`;
    this.#daemon = daemon;
  }

  static async start(): Promise<PlayedBus> {
    const folder = await mkdtemp(join(tmpdir(), "penstock-ble-"));
    const config = join(folder, "bus.conf");
    await writeFile(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${join(folder, "bus")}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
    <!-- a daemon that answers what nobody asked: other buses keep such answers back -->
    <allow send_type="method_return" send_requested_reply="false"/>
    <allow receive_type="method_return" receive_requested_reply="false"/>
  </policy>
</busconfig>
`,
    );
    const daemon = spawn("dbus-daemon", ["--nofork", "--print-address", `--config-file=${config}`], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(daemon.stdout!, "data");
    return new PlayedBus(folder, daemon);
  }

  async close(): Promise<void> {
    const ended = once(this.#daemon, "exit");
    this.#daemon.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** bluetoothd, played by bluez-process.ts. */
export class PlayedBluez {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  static async start(bus: string): Promise<PlayedBluez> {
    const child = fork(join(import.meta.dirname, "bluez-process.ts"), [bus], { execArgv: [] });
    const played = new PlayedBluez(child);
    await new Promise((resolve) => played.#waiting.set(0, resolve));
    return played;
  }

  order(order: Order): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, order });
    return answered;
  }

  device(device: PlayedDevice): Promise<unknown> {
    return this.order({ do: "device", device });
  }

  behave(...behaviours: readonly Behaviour[]): Promise<unknown> {
    return this.order({ do: "behave", behaviours });
  }

  /** what was asked since it was last looked at */
  async log(): Promise<Logged> {
    return (await this.order({ do: "log" })) as Logged;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}

export interface OpenedBle {
  readonly connection: BleConnection;
  readonly lost: string[];
}

export async function openBle(
  bus: string,
  settings: Readonly<Record<string, unknown>> = {},
  context: Partial<OpenContext> = {},
): Promise<OpenedBle> {
  const lost: string[] = [];
  const line = { ...defaultLine, timeoutMs: 2000, backOffFirstMs: 20, backOffLongestMs: 100 };
  const opened = await ble.open(
    withDefaults(ble.connection, { bus, scanSeconds: 2, ...settings }),
    openContext({ clock: realClock, line, lost: (error) => lost.push(error.code), ...context }),
  );
  return { connection: opened as BleConnection, lost };
}

export function point(
  address: Readonly<Record<string, unknown>>,
  visitor: Readonly<Record<string, unknown>>,
  type: ValueType = "uint8",
): Point<Address, Visitor> {
  return {
    ...{ device: "device", property: "property", type, custom: {}, deviceCustom: {} },
    address: withDefaults(ble.address, address) as Address,
    visitor: withDefaults(ble.visitor, visitor) as Visitor,
  };
}

export const forever = () => new AbortController().signal;

/** What a subscription tells, to be waited for. */
export class Told {
  readonly all: { readonly row: number; readonly result: PointResult }[] = [];
  #look = () => {};

  readonly each = (row: number, result: PointResult): void => {
    this.all.push({ row, result });
    this.#look();
  };

  /** The results of a row so far: values, or reasons. */
  shown(row = 0): unknown[] {
    return this.all.filter((one) => one.row === row).map(({ result }) => result.value ?? result.reason);
  }

  async until(isIt: () => boolean): Promise<void> {
    const late = setTimeout(() => this.#fail(new Error(`Only ${JSON.stringify(this.all)}`)), 8000);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        this.#look = () => isIt() && resolve();
        this.#look();
      });
    } finally {
      clearTimeout(late);
      this.#look = () => {};
    }
  }
  #fail: (error: Error) => void = () => {};
}
