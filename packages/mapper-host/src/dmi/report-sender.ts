import type { Cancel, Clock } from "@penstock/runtime";
import type { DmiTwin } from "@penstock/wire";

/** What one call carries: all that is to be said of a device. */
export interface DeviceReport {
  readonly key: string;
  readonly twins: readonly DmiTwin[];
  /** null = nothing of its state */
  readonly state: string | null;
}
export interface ReportSenderOptions {
  readonly clock: Clock;
  /** calls a second that the manager takes from all mappers, and how many at once */
  readonly perSecond: number;
  readonly burst: number;
  status(key: string, twins: readonly DmiTwin[]): Promise<void>;
  state(key: string, state: string): Promise<void>;
  /** a value was replaced by a newer one before it could be told, or a call failed */
  count(what: "replaced" | "failed" | "sent", amount: number): void;
}

/** One call every so often burdens no manager, and one that is well again soon knows what is so. */
const backOff = { firstMs: 1000, longestMs: 5000 } as const;

interface Pending {
  readonly twins: Map<string, DmiTwin>;
  state: string | null;
}

/**
 * Reports on their way to a manager that takes few calls: all that waits of a device goes in one, the devices in turn. At
 * most one value a property waits; a newer one takes its place, and that is counted. A call that failed is made again
 * later, with what is newest then.
 */
export class ReportSender {
  readonly #options: ReportSenderOptions;
  /** in the order in which they are told */
  readonly #pending = new Map<string, Pending>();
  #tokens: number;
  #filledAt: number;
  #failures = 0;
  #notBefore = 0;
  #isSending = false;
  #timer: Cancel | null = null;
  #isClosed = false;

  constructor(options: ReportSenderOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAt = this.#now();
  }

  /** true while there is more than enough room, for what may as well be left out */
  get hasRoom(): boolean {
    this.#fill();
    return this.#pending.size === 0 && this.#tokens > this.#options.burst / 2;
  }

  add({ key, twins, state }: DeviceReport): void {
    const pending = this.#pending.get(key) ?? { twins: new Map<string, DmiTwin>(), state: null };
    this.#pending.set(key, pending);
    for (const twin of twins) {
      if (pending.twins.has(twin.propertyName)) this.#options.count("replaced", 1);
      pending.twins.set(twin.propertyName, twin);
    }
    pending.state = state ?? pending.state;
    this.#go();
  }

  remove(key: string): void {
    this.#pending.delete(key);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.();
  }

  #go(): void {
    if (this.#isClosed || this.#isSending || this.#timer !== null || this.#pending.size === 0) return;
    this.#fill();
    const forTokenMs = this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#options.perSecond) * 1000;
    const waitMs = Math.max(forTokenMs, this.#notBefore - this.#now());
    if (waitMs > 0) {
      this.#timer = this.#options.clock.after(Math.ceil(waitMs), () => {
        this.#timer = null;
        this.#go();
      });
      return;
    }
    this.#isSending = true;
    void this.#send().finally(() => {
      this.#isSending = false;
      this.#go();
    });
  }

  async #send(): Promise<void> {
    const [key, pending] = this.#pending.entries().next().value!;
    const isState = pending.state !== null;
    const twins = [...pending.twins.values()];
    const { state } = pending;
    this.#tokens -= 1;
    if (isState) pending.state = null;
    else pending.twins.clear();
    this.#pending.delete(key);
    if (pending.state !== null || pending.twins.size > 0) this.#pending.set(key, pending);
    try {
      if (isState) await this.#options.state(key, state!);
      else await this.#options.status(key, twins);
      this.#failures = 0;
      this.#options.count("sent", 1);
    } catch {
      this.#options.count("failed", 1);
      this.#again(key, isState ? [] : twins, isState ? state : null);
      const waitMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(this.#failures++, 20));
      this.#notBefore = this.#now() + waitMs;
    }
  }

  /** What is newer than what could not be told stays. */
  #again(key: string, twins: readonly DmiTwin[], state: string | null): void {
    const pending = this.#pending.get(key) ?? { twins: new Map<string, DmiTwin>(), state: null };
    this.#pending.set(key, pending);
    for (const twin of twins) {
      if (pending.twins.has(twin.propertyName)) this.#options.count("replaced", 1);
      else pending.twins.set(twin.propertyName, twin);
    }
    pending.state ??= state;
  }

  #fill(): void {
    const now = this.#now();
    const { perSecond, burst } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }

  #now(): number {
    return this.#options.clock.monotonic() / 1000;
  }
}
