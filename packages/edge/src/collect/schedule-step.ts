import type { ErrorCode } from "@penstock/model";
import { DueTimes } from "./due-times.ts";
import type { GroupRecord } from "./line.ts";
import type { ScheduleEffect } from "./schedule-types.ts";

/** What the parts of the schedule share: the time of the present step, what it gives, and what is due later. */
export class ScheduleStep {
  readonly due = new DueTimes();
  effects: ScheduleEffect[] = [];
  /** microseconds of the monotonic clock */
  now = 0;

  begin(now: number): void {
    this.effects = [];
    this.now = now;
  }

  publishBad(group: GroupRecord, code: ErrorCode): void {
    group.state = "publishing";
    group.isGood = false;
    group.code = code;
    this.effects.push({ t: "publish-bad", group: group.id, code });
  }

  enqueue(group: GroupRecord): void {
    group.of.line.enqueue({ kind: "read", device: group.of, group, queuedAt: this.now });
  }
}
