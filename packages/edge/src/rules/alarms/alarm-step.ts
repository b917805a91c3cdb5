import {
  type AlarmAct,
  type AlarmTransition,
  alarmStateOf,
  type DeviceUid,
  type ErrorCode,
  type Micros,
  type Severity,
  type Shelving,
} from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { AlarmDefinition } from "./alarm-definition.ts";
import { judge, newWhenState, observe, type WhenState, whenDue } from "./when.ts";

/** What stands, or is over and not acknowledged. It survives a restart. */
export interface Standing {
  /** number of the transition that raised it first */
  readonly occurrence: number;
  readonly isActive: boolean;
  readonly isAcknowledged: boolean;
  readonly severity: Severity;
  readonly message: string;
  /** when it was raised last, by the steady clock */
  readonly raisedTick: number;
  readonly count: number;
  readonly escalated: number;
  readonly comment: string | null;
  /** part of a flood: its group is told in its place */
  readonly isHidden: boolean;
}
/** One alarm of one key. */
export interface AlarmKey {
  readonly key: string;
  readonly device: DeviceUid | null;
  readonly standing: Standing | null;
  readonly shelving: Shelving | null;
  /** whether there is reason now, and since when that is so */
  readonly isOn: boolean;
  readonly since: number;
  readonly rowAt: number;
  /** the last one, for texts and actions */
  readonly row: ObjectValue;
  readonly when: WhenState;
  /** ticks of its last raises, no more than make a flood */
  readonly raises: readonly number[];
}

/** When something is: `tick` of a clock that nobody sets, for delays; `time` of the wall, for people. Both microseconds. */
export interface Moment {
  readonly tick: number;
  readonly time: Micros;
}
export type AlarmInput =
  | { readonly t: "row"; readonly row: ObjectValue; readonly message: string }
  | { readonly t: "tick" }
  | { readonly t: "act"; readonly act: AlarmAct }
  /** of a group: it stands for so many */
  | { readonly t: "count"; readonly count: number; readonly message: string }
  /** its rule is gone */
  | { readonly t: "remove" };

export type AlarmEffect =
  | { readonly t: "told"; readonly transition: AlarmTransition }
  | { readonly t: "do"; readonly on: "raise" | "clear"; readonly row: ObjectValue };

export interface AlarmStep {
  readonly state: AlarmKey;
  readonly effects: readonly AlarmEffect[];
  /** of an act that cannot be done */
  readonly refusal: ErrorCode | null;
}
export interface StepContext {
  readonly definition: AlarmDefinition;
  readonly at: Moment;
  /** number of the next transition */
  readonly next: number;
  /** many alarms of this name come at once: those that begin now are hidden behind the group's */
  readonly isFlood: boolean;
}

export function newAlarmKey(key: string, device: DeviceUid | null, tick: number): AlarmKey {
  return {
    ...{ key, device, standing: null, shelving: null, isOn: false, since: tick, rowAt: tick, row: {}, raises: [] },
    when: newWhenState(tick),
  };
}

/**
 * The life of one alarm: reason → on-delay → raised → acknowledged, cleared after the off-delay → normal; shelved meanwhile
 * or not. No clock, no disk, no device: effects say what to tell and to do.
 */
export function alarmStep(before: AlarmKey, input: AlarmInput, context: StepContext): AlarmStep {
  const life = new Life(before, context);
  life.take(input);
  return { state: life.state, effects: life.effects, refusal: life.refusal };
}

/** When time alone may change something; null: never. */
export function alarmDue(state: AlarmKey, definition: AlarmDefinition, at: Moment): number | null {
  const { standing, shelving, isOn, since } = state;
  const isActive = standing?.isActive === true;
  const dues: (number | null)[] = [];
  if (isOn && !isActive) dues.push(since + definition.onDelay);
  if (!isOn && isActive) dues.push(since + offDelayOf(state, definition, at.tick));
  if (isOn && isByRows(definition)) dues.push(state.rowAt + definition.clearAfter!);
  if (definition.when !== null) dues.push(whenDue(definition.when, state.when, { now: at.tick, isOn }));
  if (shelving !== null && shelving.until !== null) dues.push(at.tick + Math.max(0, shelving.until - at.time));
  const step = standing === null || standing.isAcknowledged ? undefined : definition.escalate[standing.escalated];
  if (step !== undefined) dues.push(standing!.raisedTick + step.after);
  const known = dues.filter((due) => due !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Rows alone say that it stands, and their absence that it is over. */
function isByRows({ when, clearAfter }: AlarmDefinition): boolean {
  return when === null && clearAfter !== null;
}

/** One that comes and goes all the time stands until it has been quiet for as long as a flood is counted. */
function offDelayOf({ raises }: AlarmKey, { offDelay, flood }: AlarmDefinition, tick: number): number {
  const recent = raises.filter((one) => tick - one < flood.within).length;
  return recent > chatterRaises ? Math.max(offDelay, flood.within) : offDelay;
}
const chatterRaises = 5;

class Life {
  state: AlarmKey;
  readonly effects: AlarmEffect[] = [];
  refusal: ErrorCode | null = null;
  readonly #context: StepContext;
  #next: number;
  #message: string | null = null;

  constructor(before: AlarmKey, context: StepContext) {
    this.state = before;
    this.#context = context;
    this.#next = context.next;
  }

  take(input: AlarmInput): void {
    switch (input.t) {
      case "row":
        this.#row(input.row, input.message);
        break;
      case "tick":
        break;
      case "act":
        this.#act(input.act);
        break;
      case "count":
        if (this.state.standing === null) return;
        this.state = {
          ...this.state,
          standing: { ...this.state.standing, count: input.count, message: input.message },
        };
        this.#tell("counted");
        return;
      case "remove":
        if (this.state.standing !== null || this.state.shelving !== null) this.#end();
        return;
    }
    this.#settle();
  }

  #row(row: ObjectValue, message: string): void {
    const { definition, at } = this.#context;
    this.#message = message;
    this.state = { ...this.state, row, rowAt: at.tick };
    if (definition.when !== null) {
      this.state = { ...this.state, when: observe(definition.when, this.state.when, row, at.tick) };
    } else if (definition.active === null) this.#reason(true);
    else {
      const value = row[definition.active] ?? null;
      // Null is no word on it: what stands goes on standing.
      if (value !== null) this.#reason(value === true || value === 1 || value === 1n);
    }
  }

  #reason(isOn: boolean): void {
    if (isOn !== this.state.isOn) this.state = { ...this.state, isOn, since: this.#context.at.tick };
  }

  #settle(): void {
    const { definition, at } = this.#context;
    const { shelving } = this.state;
    if (shelving?.until !== null && shelving !== null && shelving.until <= at.time) this.#unshelve(null, null);
    if (definition.when !== null) {
      const { isActive, state } = judge(definition.when, this.state.when, { now: at.tick, wasActive: this.state.isOn });
      this.state = { ...this.state, when: state };
      if (isActive !== null) this.#reason(isActive);
    }
    if (this.state.isOn && isByRows(definition) && at.tick - this.state.rowAt >= definition.clearAfter!)
      this.#reason(false);
    const isActive = this.state.standing?.isActive === true;
    const lasted = at.tick - this.state.since;
    if (this.state.isOn && !isActive && lasted >= definition.onDelay) this.#raise();
    if (!this.state.isOn && isActive && lasted >= offDelayOf(this.state, definition, at.tick)) this.#clear();
    this.#escalate();
  }

  #raise(): void {
    const { definition, at, isFlood } = this.#context;
    const { standing, raises } = this.state;
    const after: Standing = {
      occurrence: standing?.occurrence ?? this.#next,
      ...{ isActive: true, isAcknowledged: false, severity: definition.severity, raisedTick: at.tick, escalated: 0 },
      message: this.#message ?? standing?.message ?? definition.message,
      count: (standing?.count ?? 0) + 1,
      comment: null,
      isHidden: standing === null ? isFlood : standing.isHidden,
    };
    this.state = { ...this.state, standing: after, raises: [...raises.slice(-chatterRaises), at.tick] };
    this.#tell("raised");
    this.effects.push({ t: "do", on: "raise", row: this.state.row });
  }

  #clear(): void {
    const { standing, shelving } = this.state;
    const isDone = standing!.isAcknowledged || standing!.isHidden || !this.#context.definition.isAcknowledgeNeeded;
    this.state = {
      ...this.state,
      standing: { ...standing!, isActive: false, isAcknowledged: isDone },
      // OPC UA 1.05 Part 9, 5.8.17: one-shot shelving ends when the alarm returns to normal.
      shelving: shelving?.until === null ? null : shelving,
    };
    this.#tell("cleared");
    this.effects.push({ t: "do", on: "clear", row: this.state.row });
    if (isDone) this.state = { ...this.state, standing: null };
  }

  #escalate(): void {
    const { definition, at } = this.#context;
    for (;;) {
      const { standing } = this.state;
      const step = standing === null || standing.isAcknowledged ? undefined : definition.escalate[standing.escalated];
      if (step === undefined || at.tick - standing!.raisedTick < step.after) return;
      const severity = step.severity ?? standing!.severity;
      this.state = { ...this.state, standing: { ...standing!, severity, escalated: standing!.escalated + 1 } };
      this.#tell("escalated");
    }
  }

  #act(act: AlarmAct): void {
    const { standing } = this.state;
    const isMeant = standing !== null && (act.occurrence === 0 || act.occurrence === standing.occurrence);
    switch (act.kind) {
      case "acknowledge": {
        if (!isMeant) break;
        if (standing.isAcknowledged) return;
        const comment = act.comment ?? standing.comment;
        this.state = { ...this.state, standing: { ...standing, isAcknowledged: true, comment } };
        this.#tell("acknowledged", act.who, act.comment);
        if (!standing.isActive) this.state = { ...this.state, standing: null };
        return;
      }
      case "comment":
        if (!isMeant) break;
        this.state = { ...this.state, standing: { ...standing, comment: act.comment } };
        this.#tell("commented", act.who, act.comment);
        return;
      case "shelve":
        this.state = { ...this.state, shelving: { until: act.until, by: act.who } };
        this.#tell("shelved", act.who, act.comment);
        return;
      case "unshelve":
        if (this.state.shelving !== null) this.#unshelve(act.who, act.comment);
        return;
    }
    this.refusal = "rules/no-alarm";
  }

  #unshelve(who: string | null, comment: string | null): void {
    this.state = { ...this.state, shelving: null };
    this.#tell("unshelved", who, comment);
  }

  #end(): void {
    const { standing } = this.state;
    if (standing !== null)
      this.state = { ...this.state, standing: { ...standing, isActive: false, isAcknowledged: true } };
    this.state = { ...this.state, shelving: null };
    this.#tell("removed");
    this.state = { ...this.state, standing: null };
  }

  #tell(kind: AlarmTransition["kind"], who: string | null = null, comment: string | null = null): void {
    const { definition, at } = this.#context;
    const { standing, shelving, key, device } = this.state;
    if (standing?.isHidden === true) return;
    const transition: AlarmTransition = {
      ...{ number: this.#next, occurrence: standing?.occurrence ?? 0, kind, time: at.time },
      ...{ rule: definition.rule, ruleName: definition.ruleName, alarm: definition.name, key, device },
      severity: standing?.severity ?? definition.severity,
      message: standing?.message ?? definition.message,
      state: standing === null ? "normal" : alarmStateOf(standing.isActive, standing.isAcknowledged),
      ...{ count: standing?.count ?? 0, shelving, who, comment, escalated: standing?.escalated ?? 0 },
    };
    this.#next += 1;
    this.effects.push({ t: "told", transition });
  }
}
