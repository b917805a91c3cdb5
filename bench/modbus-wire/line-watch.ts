import { timeoutMs } from "./slave-lines.ts";

export interface LineFigures {
  readonly seconds: number;
  /** between a request to a dead slave and the next request to any, at most the time-out */
  readonly deadMs: number;
  /** requests to dead slaves */
  readonly deadRequests: number;
  /** between two requests to the same living slave; 0 before there are two */
  readonly longestGapMs: number;
}

/** What one line of slaves is asked, as the slaves see it. */
export class LineWatch {
  #dead: ReadonlySet<number> = new Set();
  #beganAt = performance.now();
  #deadMs = 0;
  #deadRequests = 0;
  #longestGapMs = 0;
  #deadAskedAt: number | null = null;
  readonly #askedAt = new Map<number, number>();

  /** these die now, and what is counted begins */
  begin(dead: ReadonlySet<number>): void {
    this.#dead = dead;
    this.#beganAt = performance.now();
    this.#deadMs = this.#deadRequests = this.#longestGapMs = 0;
    this.#deadAskedAt = null;
  }

  /** @returns true when the unit is dead */
  asked(unit: number): boolean {
    const now = performance.now();
    this.#endOfSlot(now);
    if (this.#dead.has(unit)) {
      this.#deadRequests++;
      this.#deadAskedAt = now;
      return true;
    }
    const before = this.#askedAt.get(unit);
    if (before !== undefined && before >= this.#beganAt) {
      this.#longestGapMs = Math.max(this.#longestGapMs, now - before);
    }
    this.#askedAt.set(unit, now);
    return false;
  }

  figures(): LineFigures {
    const now = performance.now();
    if (this.#deadAskedAt !== null && now - this.#deadAskedAt >= timeoutMs) this.#endOfSlot(now);
    const [deadMs, deadRequests, longestGapMs] = [this.#deadMs, this.#deadRequests, this.#longestGapMs];
    return { seconds: (now - this.#beganAt) / 1000, deadMs, deadRequests, longestGapMs };
  }

  #endOfSlot(now: number): void {
    if (this.#deadAskedAt === null) return;
    this.#deadMs += Math.min(now - this.#deadAskedAt, timeoutMs);
    this.#deadAskedAt = null;
  }
}
