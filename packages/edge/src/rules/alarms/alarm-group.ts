import { type ErrorCode, floodKey } from "@penstock/model";
import type { AlarmDefinition } from "./alarm-definition.ts";
import {
  type AlarmEffect,
  type AlarmInput,
  type AlarmKey,
  alarmDue,
  alarmStep,
  type Moment,
  newAlarmKey,
  type StepContext,
} from "./alarm-step.ts";

/** How often the count of a group is told, in microseconds. */
const tellMicros = 5_000_000;

/**
 * Many alarms of one name at once: what begins during a flood is hidden behind one alarm with a count, so that who watches
 * sees one line instead of a thousand. Devices are acted on all the same.
 *
 * @source ANSI/ISA-18.2-2016, 3.1.8 (alarm flood: more than 10 in 10 minutes for one operator)
 */
export interface AlarmGroup {
  /** ticks of the last raises of all keys, at most one more than make a flood */
  readonly raises: readonly number[];
  /** null: no flood, and none that somebody has yet to acknowledge */
  readonly alarm: AlarmKey | null;
  /** alarms hidden since it began, and how many of them stand */
  readonly count: number;
  readonly standing: number;
  readonly toldAt: number;
  /** of the last one hidden */
  readonly message: string;
}
export const noGroup: AlarmGroup = { raises: [], alarm: null, count: 0, standing: 0, toldAt: 0, message: "" };

export function isFlood({ raises, alarm }: AlarmGroup, { flood }: AlarmDefinition, tick: number): boolean {
  if (alarm?.standing?.isActive === true) return true;
  return raises.filter((one) => tick - one < flood.within).length >= flood.more;
}

/** An alarm of any key was raised. */
export function groupRaised(
  group: AlarmGroup,
  definition: AlarmDefinition,
  { tick, isHidden, message }: { readonly tick: number; readonly isHidden: boolean; readonly message: string },
): AlarmGroup {
  const raises = [...group.raises, tick].slice(-definition.flood.more);
  if (!isHidden) return { ...group, raises };
  return { ...group, raises, message, count: group.count + 1, standing: group.standing + 1 };
}

/** One that was hidden is over. */
export function groupCleared(group: AlarmGroup): AlarmGroup {
  return { ...group, standing: Math.max(0, group.standing - 1) };
}

/** Something happens to the group's own alarm: it is raised, counted or cleared, acknowledged or shelved. */
export function groupStep(
  before: AlarmGroup,
  given: AlarmInput,
  { definition, at, next }: Omit<StepContext, "isFlood">,
): { readonly group: AlarmGroup; readonly effects: readonly AlarmEffect[]; readonly refusal: ErrorCode | null } {
  if (before.alarm === null && before.standing === 0 && given.t !== "act")
    return { group: before, effects: [], refusal: null };
  const effects: AlarmEffect[] = [];
  let refusal: ErrorCode | null = null;
  let alarm = before.alarm ?? newAlarmKey(floodKey, null, at.tick);
  let { toldAt } = before;
  const step = (input: AlarmInput) => {
    const told = effects.length;
    const context = { definition: groupDefinition(definition), at, next: next + told, isFlood: false };
    const stepped = alarmStep(alarm, input, context);
    // It does nothing to devices: each of the alarms that it stands for does.
    effects.push(...stepped.effects.filter(({ t }) => t === "told"));
    refusal ??= stepped.refusal;
    alarm = stepped.state;
    if (effects.length > told) toldAt = at.tick;
  };
  const message = `${before.count} of "${definition.name}" at once, the last: ${before.message}`.slice(0, 1024);
  const wanted = before.standing > 0 && given.t !== "remove";
  step(given);
  const isActive = () => alarm.standing?.isActive === true;
  if (wanted && !isActive()) step({ t: "row", row: { active: true }, message });
  const isCountDue = isActive() && alarm.standing!.count !== before.count;
  if (isCountDue && (!wanted || at.tick - toldAt >= tellMicros)) step({ t: "count", count: before.count, message });
  if (!wanted && isActive()) step({ t: "row", row: { active: false }, message });
  const isOver = alarm.standing === null && alarm.shelving === null;
  const group = { ...before, alarm: isOver ? null : alarm, toldAt, ...(!isActive() && { count: 0 }) };
  return { group, effects, refusal };
}

/** When time alone may change something; null: never. */
export function groupDue({ alarm, count, toldAt }: AlarmGroup, definition: AlarmDefinition, at: Moment): number | null {
  if (alarm === null) return null;
  const due = alarmDue(alarm, groupDefinition(definition), at);
  if (alarm.standing?.isActive !== true || alarm.standing.count === count) return due;
  return Math.min(due ?? Number.POSITIVE_INFINITY, toldAt + tellMicros);
}

function groupDefinition(definition: AlarmDefinition): AlarmDefinition {
  const acts = { onRaise: [], onClear: [] };
  return { ...definition, ...acts, active: "active", when: null, clearAfter: null, onDelay: 0, offDelay: 0 };
}
