import {
  AppError,
  type DeviceUid,
  desiredFromText,
  kubeEdgeType,
  type Layout,
  layoutOrder,
  readingsOf,
  sameValue,
  type Value,
  valueToText,
} from "@penstock/model";
import type { Cancel, Clock, Log } from "@penstock/runtime";
import { type DmiTwin, decodeBatchBody, type PointSpec } from "@penstock/wire";
import type { DmiProperty, DmiTarget } from "./from-dmi.ts";
import type { HostAsker } from "./host-asker.ts";
import type { ReportSender } from "./report-sender.ts";

export interface DmiDeviceOptions {
  readonly target: DmiTarget;
  readonly host: HostAsker;
  readonly sender: ReportSender;
  readonly clock: Clock;
  readonly log: Log;
  nextGroup(): number;
}

interface Cycle {
  readonly group: number;
  readonly everyMs: number;
  readonly members: readonly DmiProperty[];
  readonly layout: Layout;
}

/** Nobody answered, rather than that the device answered with a refusal. */
const silences = new Set([
  "mapper/timeout",
  "mapper/connect-failed",
  "mapper/connection-lost",
  "mapper/device-offline",
  "mapper/gateway-no-response",
]);
const retryMs = 5000;

/**
 * One device of a DMI manager: read by its collect cycles, reported by its report cycles, written when a wanted value is
 * another than the device has, and never because it is read or because something else of it was changed.
 */
export class DmiDeviceRun {
  target: DmiTarget;
  readonly #options: DmiDeviceOptions;
  readonly #cycles: readonly Cycle[];
  readonly #timers = new Map<number, Cancel>();
  readonly #reportAt = new Map<string, number>();
  readonly #last = new Map<string, DmiTwin>();
  /** by property: the text that was last written, or found at the device */
  readonly #written = new Map<string, string>();
  #retry: Cancel = () => {};
  #state = "unknown";
  #stateAt = 0;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: DmiDeviceOptions) {
    this.#options = options;
    this.target = options.target;
    const { connection, device } = this.target;
    const { host, clock } = options;
    host.tell({ t: "open", connection: connection.uid, settings: connection.settings, line: connection.line });
    const byCycle = Map.groupBy(
      this.target.properties.filter(({ property }) => property.access !== "write"),
      ({ collectMs }) => collectMs,
    );
    this.#cycles = [...byCycle].map(([everyMs, members]) => {
      const properties = layoutOrder(members.map(({ property: { name, type } }) => ({ name, type })));
      const group = options.nextGroup();
      const points = properties.map(({ name }) => point(members.find(({ property }) => property.name === name)!));
      host.tell({ t: "group", group, connection: connection.uid, ...this.#device(), points });
      return { group, everyMs, members, layout: { id: 0, device: device.uid, properties } };
    });
    for (const cycle of this.#cycles) this.#arm(cycle, clock.monotonic() / 1000);
    this.#want();
  }

  get twins(): readonly DmiTwin[] {
    return [...this.#last.values()];
  }

  /** Only wanted values are other than before. @throws AppError twin/… for one that breaks its property's rules */
  desired(target: DmiTarget): void {
    for (const one of target.properties) if (one.desired !== "") desiredFromText(one.property, one.desired);
    this.target = target;
    this.#want();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry();
    for (const cancel of this.#timers.values()) cancel();
    for (const { group } of this.#cycles) this.#options.host.tell({ t: "ungroup", group });
    this.#options.sender.remove(this.target.key);
    await this.#writing;
  }

  #device() {
    const { uid, address, custom } = this.target.device;
    return { device: uid as DeviceUid, address, ...(Object.keys(custom).length > 0 && { custom }) };
  }

  #arm(cycle: Cycle, dueAt: number): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const cancel = clock.after(Math.max(0, Math.ceil(dueAt - clock.monotonic() / 1000)), () => {
      void this.#read(cycle).finally(() => {
        const now = clock.monotonic() / 1000;
        // Cycles that were missed are not made up for.
        const missed = Math.max(0, Math.floor((now - dueAt) / cycle.everyMs));
        this.#arm(cycle, dueAt + (missed + 1) * cycle.everyMs);
      });
    });
    this.#timers.set(cycle.group, cancel);
  }

  async #read({ group, members, layout, everyMs }: Cycle): Promise<void> {
    const { host, clock, sender } = this.#options;
    const { line } = this.target.connection;
    const deadlineMs = Math.max(everyMs, line.connectTimeoutMs + (1 + line.retries) * line.timeoutMs);
    const twins: DmiTwin[] = [];
    let state = "online";
    try {
      const answer = await host.ask((id) => ({ t: "read", id, group, deadlineMs }));
      if (answer.t !== "values") throw new AppError("mapper/bad-answer", `Read answered with "${answer.t}"`);
      const now = clock.monotonic() / 1000;
      const readings = readingsOf(decodeBatchBody(layout, answer.body));
      for (const { property, value, quality } of readings) {
        const member = members.find((one) => one.property.name === property);
        if (member === undefined || value === null || quality === "bad") continue;
        const twin = this.#twin(member, value);
        this.#last.set(member.name, twin);
        if (!member.isReported || now < (this.#reportAt.get(member.name) ?? 0)) continue;
        // Half a cycle of slack, so that a reading that comes a little early is not left out.
        this.#reportAt.set(member.name, now + member.reportMs - everyMs / 2);
        twins.push(twin);
      }
      const isBad = readings.every(({ quality }) => quality === "bad");
      if (isBad) state = readings.every(({ reason }) => silences.has(String(reason))) ? "offline" : "unhealthy";
    } catch {
      state = "offline";
    }
    if (this.#isClosed) return;
    if (twins.length > 0) sender.add({ key: this.target.key, twins, state: null });
    this.#tellState(state);
  }

  #tellState(state: string): void {
    const { sender, clock, log } = this.#options;
    const { key, stateMs } = this.target;
    const now = clock.monotonic() / 1000;
    const isNews = state !== this.#state;
    if (isNews) log.info({ device: key, state }, "The state of a device changed");
    this.#state = state;
    if (stateMs === null) return;
    // The state again and again is of use to nobody; a manager that takes one call a second has better to do.
    if (!isNews && (now - this.#stateAt < stateMs || !sender.hasRoom)) return;
    this.#stateAt = now;
    sender.add({ key, twins: [], state });
  }

  #twin({ name, property, desired }: DmiProperty, value: Value): DmiTwin {
    const metadata = new Map([
      ["timestamp", String(Math.floor(this.#options.clock.now() / 1000))],
      ["type", kubeEdgeType[property.type]],
    ]);
    return {
      propertyName: name,
      observedDesired: { value: desired, metadata },
      reported: { value: valueToText(property.type, value), metadata },
    };
  }

  #want(): void {
    this.#retry();
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { log, clock } = this.#options;
    for (const one of this.target.properties) {
      const { name, property, desired } = one;
      if (this.#isClosed || desired === "" || this.#written.get(name) === desired || property.access === "read")
        continue;
      try {
        const value = desiredFromText(property, desired);
        // At first nobody knows what was written before this process: a device that has the value already is left alone.
        if (this.#written.has(name) || !(await this.#has(one, value))) await this.#writeOne(one, value);
        this.#written.set(name, desired);
      } catch (error) {
        log.warn({ device: this.target.key, property: name, error }, "Cannot write a wanted value");
        if (error instanceof AppError && error.code.startsWith("twin/")) {
          this.#written.set(name, desired);
          continue;
        }
        this.#retry = clock.after(retryMs, () => this.#want());
      }
    }
  }

  async #has(one: DmiProperty, value: Value): Promise<boolean> {
    if (one.property.access === "write") return false;
    const { host } = this.#options;
    const { connection } = this.target;
    const deadlineMs = connection.line.connectTimeoutMs + connection.line.timeoutMs;
    const answer = await host.ask((id) => ({
      ...({ t: "read-point", id, connection: connection.uid, deadlineMs } as const),
      ...{ ...this.#device(), point: point(one) },
    }));
    return answer.t === "point" && answer.reason === null && sameValue(answer.value, value);
  }

  async #writeOne(one: DmiProperty, value: Value): Promise<void> {
    const { host, log } = this.#options;
    const { connection, key } = this.target;
    const deadlineMs = connection.line.connectTimeoutMs + connection.line.timeoutMs;
    const answer = await host.ask((id) => ({
      ...({ t: "write", id, connection: connection.uid, deadlineMs } as const),
      ...{ ...this.#device(), points: [point(one)], values: [value] },
    }));
    const outcome = answer.t === "written" ? answer.outcomes[0] : undefined;
    if (outcome) throw new AppError(outcome.code, outcome.message);
    log.info({ device: key, property: one.name }, "Wrote a wanted value");
  }
}

function point({ property: { name, type, visitor, custom } }: DmiProperty): PointSpec {
  return { property: name, type, visitor, ...(Object.keys(custom).length > 0 && { custom }) };
}
