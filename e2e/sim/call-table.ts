import { type CallState, type CloudControl, isCallEnd, type MethodCall } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { isCallNews } from "../../packages/cloud/src/services/call-news.ts";
import { dose, machine } from "./plant.ts";

export interface CallRow {
  readonly id: string;
  /** the argument: each call has its own, so that the machine's acts can be told apart */
  readonly n: number;
  readonly state: CallState;
  readonly isOffered: boolean;
  /** the gateway has said that it has it, and how it ended */
  readonly isTaken: boolean;
  readonly isReported: boolean;
  readonly expiresAt: number;
  /** copies of the gateway's disk that had been put back when it was made */
  readonly disks: number;
}

/** The gateway ends a call by the same time; its word needs a moment to arrive. */
const graceMicros = 2_000_000;

/** Calls of methods as services keep them, by the same rules (services/calls.ts, call-expiry.ts). */
export class CallTable {
  readonly rows = new Map<string, CallRow>();

  get isSettled(): boolean {
    return [...this.rows.values()].every(({ state }) => isCallEnd(state));
  }

  /** One transaction; who may be asked for it hears of the new call afterwards. */
  make(options: { readonly expiresAt: number; readonly disks: number }): void {
    const n = this.rows.size + 1;
    const id = n.toString(16).padStart(32, "0");
    this.rows.set(id, { id, n, state: "pending", isOffered: false, isTaken: false, isReported: false, ...options });
  }

  /** What has run out: expired where nothing went to the gateway, unknown where it may have. */
  expire(now: number): void {
    for (const row of this.due(now)) this.#change(row.id, { state: row.isOffered ? "unknown" : "expired" });
  }

  due(now: number): CallRow[] {
    return [...this.rows.values()].filter(
      ({ state, expiresAt, isOffered }) => !isCallEnd(state) && expiresAt <= now - (isOffered ? graceMicros : 0),
    );
  }

  control(
    clock: Clock,
    transaction: <T>(work: () => T) => Promise<T>,
    offer: (name: string, ttlMs: number) => void,
  ): Pick<CloudControl, "pendingCalls" | "callsTaken" | "takeCallReports"> {
    return {
      pendingCalls: () =>
        transaction(() => {
          const now = clock.now();
          const due = [...this.rows.values()].filter(({ state, expiresAt }) => state === "pending" && expiresAt > now);
          for (const { id } of due) this.#change(id, { isOffered: true });
          return due.map(({ id, n, expiresAt }): MethodCall => {
            const ttlMs = Math.max(1, Math.floor((expiresAt - now) / 1000));
            offer(`call#${n}`, ttlMs);
            const argument = { name: "n", type: "int32", value: n } as const;
            return { id, device: machine.uid, method: dose.name, arguments: [argument], ttlMs };
          });
        }),
      callsTaken: (_identity, ids) =>
        transaction(() => {
          for (const id of ids) {
            const isWaiting = this.rows.get(id)!.state === "pending";
            this.#change(id, { isTaken: true, ...(isWaiting && { state: "sent" }) });
          }
        }),
      takeCallReports: (_identity, reports) =>
        transaction(() => {
          for (const { id, state } of reports) {
            const isNews = isCallNews(this.rows.get(id)!.state, state);
            this.#change(id, { isReported: true, ...(isNews && { state }) });
          }
        }),
    };
  }

  #change(id: string, to: Partial<CallRow>): void {
    this.rows.set(id, { ...this.rows.get(id)!, ...to });
  }
}
