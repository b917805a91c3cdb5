import type { CloudControl, DesiredState, DesiredValue, NodeNudger } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import type { SimProcess, SimRandom } from "@penstock/testkit";
import { isNews, isSettled } from "../../packages/cloud/src/services/desired-state.ts";
import { CallTable } from "./call-table.ts";
import { Deadlines } from "./deadlines.ts";
import { assignedSet, machine, node } from "./plant.ts";

export interface DesiredRow {
  readonly property: string;
  readonly version: number;
  readonly value: number;
  readonly state: DesiredState;
  /** the gateway has said that it has it */
  readonly isTaken: boolean;
  readonly expiresAt: number;
}
export interface CloudDesk {
  readonly control: CloudControl;
  set(property: string, ttlMs: number): void;
  call(ttlMs: number, disks: number): void;
}

/**
 * What services keep in the state store of desired values, calls and alarms, by the same rules (services/desired.ts): one row a
 * property with the highest version, on disk before anybody is told.
 */
export class DesiredTable {
  readonly rows = new Map<string, DesiredRow>();
  readonly calls = new CallTable();
  readonly alarms = new Map<string, string>();
  readonly deadlines = new Deadlines();
  readonly #random: SimRandom;
  sets = 0;

  constructor(random: SimRandom) {
    this.#random = random;
  }

  get isSettled(): boolean {
    const isOver = (row: DesiredRow) => isSettled(row.state, row.property === "gate");
    return [...this.rows.values()].every(isOver) && this.calls.isSettled;
  }

  open(options: {
    readonly process: SimProcess;
    readonly clock: Clock;
    readonly nudger: NodeNudger;
    /** true microseconds: what people who look at the machine see */
    truth(): number;
  }): CloudDesk {
    const { process, clock, nudger, truth } = options;
    const offer = (name: string, ttlMs: number) => this.deadlines.offered(name, { now: truth(), ttlMs });
    /** One transaction: it happens whole or not at all, and who waits hears of it a step later. */
    const transaction = <T>(work: () => T): Promise<T> =>
      new Promise((resolve) => {
        process.later(this.#random.number() * 3, "state write", () => {
          const result = work();
          process.later(this.#random.number(), "state written", () => resolve(result));
        });
      });
    const change = (property: string, to: Partial<DesiredRow>) =>
      this.rows.set(property, { ...this.rows.get(property)!, ...to });
    const isDue = (row: DesiredRow) => !isSettled(row.state, row.property === "gate") && row.expiresAt <= clock.now();
    const due = () => [...this.rows.values()].filter(isDue);
    const lookForDue = () => {
      const expire = () => {
        for (const { property } of due()) change(property, { state: "expired" });
        this.calls.expire(clock.now());
      };
      if (due().length > 0 || this.calls.due(clock.now()).length > 0) process.run(() => transaction(expire));
      clock.after(1000, lookForDue);
    };
    lookForDue();

    const control: CloudControl = {
      authorize: () => transaction(() => undefined),
      wasAssigned: () => transaction(() => true),
      assigned: () => transaction(() => assignedSet),
      pendingDesired: () =>
        transaction(() =>
          [...this.rows.values()]
            .filter(({ state, expiresAt }) => state === "pending" && expiresAt > clock.now())
            .map(({ property, version, value, expiresAt }): DesiredValue => {
              const ttlMs = Math.max(1, Math.floor((expiresAt - clock.now()) / 1000));
              offer(`${property}#${version}`, ttlMs);
              return { device: machine.uid, property, type: "float64", value, version, ttlMs };
            }),
        ),
      desiredTaken: (_identity, taken) =>
        transaction(() => {
          for (const { property, version } of taken) {
            const row = this.rows.get(property);
            if (row?.version !== version) continue;
            change(property, { isTaken: true, ...(row.state === "pending" && { state: "sent" }) });
          }
        }),
      takeReports: (_identity, reports) =>
        transaction(() => {
          for (const report of reports) {
            const row = this.rows.get(report.property);
            if (row !== undefined && isNews(row, report)) change(report.property, { state: report.state });
          }
        }),
      takeHolds: () => transaction(() => undefined),
      ...this.calls.control(clock, transaction, offer),
      takeMappers: async () => [],
      takeManifest: async () => {},
      nodeConnected() {},
      nodeReport() {},
      nodeDisconnected() {},
      applied() {},
      raise: (_identity, { code, key, message }) => void this.alarms.set(`${code} ${key}`, message),
      clear: (_identity, { code, key }) => void this.alarms.delete(`${code} ${key}`),
      renew: () => Promise.resolve({ certificatePem: "", trustBundlePem: "" }),
    };
    return {
      control,
      set: (property, ttlMs) =>
        process.run(async () => {
          await transaction(() => {
            const version = (this.rows.get(property)?.version ?? 0) + 1;
            this.sets++;
            // The value tells the version, so that what the machine holds can be judged.
            const expiresAt = clock.now() + ttlMs * 1000;
            this.rows.set(property, { property, version, value: version, state: "pending", isTaken: false, expiresAt });
          });
          nudger.desiredChanged(node);
        }),
      call: (ttlMs, disks) =>
        process.run(async () => {
          await transaction(() => this.calls.make({ expiresAt: clock.now() + ttlMs * 1000, disks }));
          nudger.callsChanged(node);
        }),
    };
  }
}
