import {
  type AlarmAct,
  type AlarmActOutcome,
  type DeviceUid,
  type EdgeAlarms,
  type EffectiveRule,
  type ErrorCode,
  floodKey,
  hexId,
  limits,
  type RuleUid,
} from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { Clock, Files, Log, Metrics, Random } from "@penstock/runtime";
import type { AlarmPlace } from "../sinks/alarm-sink.ts";
import type { RuleOutput, Sink } from "../sinks/sink.ts";
import { type AlarmDefinition, definitionsOf } from "./alarm-definition.ts";
import { type AlarmGroup, groupCleared, groupDue, groupRaised, groupStep, isFlood, noGroup } from "./alarm-group.ts";
import { type AlarmRecord, openAlarmJournal } from "./alarm-journal.ts";
import { type AlarmEffect, type AlarmInput, type AlarmKey, alarmDue, alarmStep, newAlarmKey } from "./alarm-step.ts";
import { AlarmWriter } from "./alarm-writer.ts";
import { fillText } from "./fill-text.ts";
import { restoredWhenState } from "./when.ts";

const file = "edge/src/rules/alarms/alarms.ts";

export interface AlarmsOptions {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
export interface AlarmSet {
  readonly rules: readonly Pick<EffectiveRule, "uid" | "name" | "actions" | "isStopped">[];
  /** devices of the gateway by name */
  deviceOf(name: string): DeviceUid | null;
}
export interface Alarms extends AlarmPlace {
  /** Which alarms there are. Those of rules that are gone or stopped end; the others go on as they are. */
  apply(set: AlarmSet): void;
  readonly link: EdgeAlarms;
  /** resolves when all is on disk */
  close(): Promise<void>;
}

interface Held {
  readonly definition: AlarmDefinition;
  readonly keys: Map<string, AlarmKey>;
  group: AlarmGroup;
}
type Act = Parameters<AlarmPlace["sink"]>[0]["act"];

/**
 * Alarms of the gateway's rules: decided here in the turn in which a row comes, acted on at once, then written to disk, then
 * told to the cloud. A crash between acting and writing repeats the act, since the alarm is raised anew by the next row.
 *
 * @throws AppError data/… when the journal cannot be read or written
 */
export async function openAlarms(options: AlarmsOptions): Promise<Alarms> {
  const journal = await openAlarmJournal(options);
  if (journal.state.epoch === "") await journal.append({ epoch: hexId(options.random.bytes(16)) });
  return new AlarmKeeper(options, new AlarmWriter({ ...options, journal }));
}

class AlarmKeeper implements Alarms {
  readonly #options: AlarmsOptions;
  readonly #writer: AlarmWriter;
  readonly #held = new Map<string, Held>();
  /** what rules that are at work do to devices, by rule and alarm */
  readonly #acts = new Map<string, Act>();
  /** what a restart found, until the rules that it belongs to are known */
  #found: Map<string, AlarmRecord> | null;
  /** wall time when it opened, and what the monotonic clock said: delays go on over a restart, and wall time may be set */
  readonly #base: number;
  #byName: ReadonlyMap<string, Held> = new Map();
  #count = 0;
  #deviceOf: AlarmSet["deviceOf"] = () => null;
  /** when the timer was set for, by the steady clock */
  #dueAt = Number.POSITIVE_INFINITY;
  #prunedAt = 0;
  #cancel: () => void = () => {};
  #isClosed = false;

  constructor(options: AlarmsOptions, writer: AlarmWriter) {
    const { clock } = options;
    this.#options = options;
    this.#writer = writer;
    this.#found = new Map(writer.onDisk.records);
    this.#base = clock.now() - clock.monotonic();
  }

  get link(): EdgeAlarms {
    const writer = this.#writer;
    return {
      epoch: () => writer.onDisk.epoch,
      pendingTransitions: () => writer.onDisk.transitions,
      onTransition: (listener) => writer.onWritten(listener),
      transitionsTaken: (epoch, numbers) => writer.taken(epoch, numbers),
      takeActs: (acts) => this.#takeActs(acts),
    };
  }

  apply({ rules, deviceOf }: AlarmSet): void {
    this.#deviceOf = deviceOf;
    const definitions = rules.flatMap((rule) => (rule.isStopped ? [] : definitionsOf(rule as EffectiveRule)));
    const wanted = new Map(definitions.map((definition) => [idOf(definition.rule, definition.name), definition]));
    for (const [id, held] of this.#held) {
      const definition = wanted.get(id);
      if (definition === undefined) this.#end(held);
      else if (definition !== held.definition) this.#held.set(id, { ...held, definition });
      if (definition === undefined) this.#held.delete(id);
    }
    for (const [id, definition] of wanted) {
      if (!this.#held.has(id)) this.#held.set(id, this.#begin(definition));
    }
    this.#byName = new Map([...this.#held.values()].map((held) => [nameOf(held.definition), held]));
    this.#endOrphans();
    this.#tick();
  }

  sink({ rule, alarm, act }: Parameters<AlarmPlace["sink"]>[0]): Sink {
    const name = `${rule}/${alarm}`;
    this.#acts.set(name, act);
    return {
      take: (output) => this.#take(name, output),
      close: async () => {
        // One that took its place meanwhile stays.
        if (this.#acts.get(name) === act) this.#acts.delete(name);
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#writer.close();
  }

  #take(name: string, { rows, rule, number }: RuleOutput): Promise<void> {
    const { log } = this.#options;
    const held = this.#byName.get(name);
    if (held === undefined || this.#isClosed) return Promise.resolve();
    if (log.tracing) log.trace({ file, id: `${rule}#${number}`, rows: rows.length }, "Alarms look");
    const { definition } = held;
    for (const row of rows) {
      const key = keyOf(definition, row);
      const message = fillText(definition.message, row, 1024);
      const known = held.keys.get(key);
      if (known === undefined && this.#isFull()) continue;
      const before = known ?? newAlarmKey(key, this.#deviceFor(definition, row), this.#at().tick);
      this.#step(held, before, { t: "row", row, message });
    }
    return this.#writer.written();
  }

  #step(held: Held, before: AlarmKey, input: AlarmInput): ErrorCode | null {
    const { definition } = held;
    const at = this.#at();
    const context = { definition, at, next: this.#writer.next, isFlood: isFlood(held.group, definition, at.tick) };
    const { state, effects, refusal } = alarmStep(before, input, context);
    if (!held.keys.has(state.key)) this.#count++;
    held.keys.set(state.key, state);
    this.#perform(held, effects);
    const hidden = state.standing?.isHidden ?? before.standing?.isHidden ?? false;
    for (const effect of effects) {
      if (effect.t !== "do") continue;
      const { message } = state.standing ?? before.standing ?? definition;
      if (effect.on === "raise")
        held.group = groupRaised(held.group, definition, { tick: at.tick, isHidden: hidden, message });
      else if (hidden) held.group = groupCleared(held.group);
    }
    if (state.standing !== before.standing || state.shelving !== before.shelving) this.#note(held, state);
    if (hidden) this.#stepGroup(held, { t: "tick" });
    if (isIdle(state) && input.t !== "row") this.#forget(held, state.key);
    this.#arm(alarmDue(state, definition, at));
    return refusal;
  }

  #stepGroup(held: Held, input: AlarmInput): ErrorCode | null {
    const context = { definition: held.definition, at: this.#at(), next: this.#writer.next };
    const { group, effects, refusal } = groupStep(held.group, input, context);
    held.group = group;
    this.#perform(held, effects);
    if (effects.length > 0) this.#note(held, group.alarm ?? newAlarmKey(floodKey, null, 0));
    this.#arm(groupDue(group, held.definition, this.#at()));
    return refusal;
  }

  #perform({ definition }: Held, effects: readonly AlarmEffect[]): void {
    const { log, metrics } = this.#options;
    for (const effect of effects) {
      if (effect.t === "told") {
        const { transition } = effect;
        const { kind, alarm, key, severity, message } = transition;
        this.#writer.tell(transition);
        metrics.counter("penstock_rules_alarm_transitions_total", "What happened to alarms of rules", { kind }).add();
        log.info({ stage: "rules", rule: definition.ruleName, alarm, key, severity, kind, message }, "Alarm");
        continue;
      }
      const { onRaise, onClear } = definition;
      const steps = effect.on === "raise" ? onRaise : onClear;
      const act = this.#acts.get(nameOf(definition));
      for (const n of steps.keys()) act?.(effect.on, n, effect.row);
    }
  }

  /** What of it a restart must find. */
  #note({ definition }: Held, { key, device, standing, shelving, when }: AlarmKey): void {
    const { rule, name: alarm } = definition;
    const record = { rule, alarm, key, device, standing, shelving, base: when.base };
    this.#writer.note(recordId(rule, alarm, key), standing === null && shelving === null ? null : record);
  }

  /** One more would be too many: it is not raised, and counted. */
  #isFull(): boolean {
    if (this.#count < limits.alarmsPerNode) return false;
    const { tick } = this.#at();
    const isLooked = tick - this.#prunedAt < pruneMicros;
    if (!isLooked) this.#prunedAt = tick;
    for (const held of isLooked ? [] : this.#held.values()) {
      // Of a gap, silence is what is watched for.
      if (held.definition.when?.gap != null) continue;
      for (const state of [...held.keys.values()]) if (isIdle(state)) this.#drop(held, state.key);
    }
    if (this.#count < limits.alarmsPerNode) return false;
    const { metrics } = this.#options;
    metrics.counter("penstock_rules_alarms_dropped_total", "Rows of alarms beyond what one gateway holds").add();
    return true;
  }

  #forget(held: Held, key: string): void {
    // A value that has to be watched while nothing comes stays.
    if (held.definition.when === null) this.#drop(held, key);
  }

  #drop(held: Held, key: string): void {
    if (held.keys.delete(key)) this.#count--;
  }

  async #takeActs(acts: readonly AlarmAct[]): Promise<readonly AlarmActOutcome[]> {
    const outcomes = acts.map((act) => {
      const known = this.#writer.outcomeOf(act.id);
      if (known !== null) return known;
      const outcome: AlarmActOutcome = { id: act.id, reason: this.#act(act) };
      this.#writer.answer(outcome);
      return outcome;
    });
    await this.#writer.written();
    return outcomes;
  }

  #act(act: AlarmAct): ErrorCode | null {
    const held = this.#held.get(idOf(act.rule, act.alarm));
    if (held === undefined) return "rules/no-alarm";
    const input: AlarmInput = { t: "act", act };
    if (act.key === floodKey) return this.#stepGroup(held, input);
    const known = held.keys.get(act.key);
    if (known === undefined && (act.kind !== "shelve" || this.#isFull())) return "rules/no-alarm";
    return this.#step(held, known ?? newAlarmKey(act.key, null, this.#at().tick), input);
  }

  #begin(definition: AlarmDefinition): Held {
    const held: Held = { definition, keys: new Map(), group: noGroup };
    const { tick } = this.#at();
    for (const [id, record] of this.#found ?? []) {
      if (idOf(record.rule, record.alarm) !== idOf(definition.rule, definition.name)) continue;
      this.#found!.delete(id);
      const { key, device, standing, shelving, base } = record;
      const isOn = standing?.isActive === true;
      const when = restoredWhenState(definition.when, base, tick);
      const state = { ...newAlarmKey(key, device, tick), standing, shelving, isOn, when };
      if (key === floodKey) {
        held.group = { ...held.group, alarm: state, message: standing?.message ?? "" };
        continue;
      }
      held.keys.set(key, state);
      this.#count++;
      if (standing?.isHidden === true && standing.isActive)
        held.group = { ...held.group, count: held.group.count + 1, standing: held.group.standing + 1 };
    }
    // What nothing has ever been heard of is watched too, where its name is known beforehand.
    const key = keyOf(definition, {});
    const isWatched = definition.when?.gap != null && !definition.key.includes("${");
    if (isWatched && !held.keys.has(key)) {
      held.keys.set(key, newAlarmKey(key, this.#deviceFor(definition, {}), tick));
      this.#count++;
    }
    return held;
  }

  #end(held: Held): void {
    for (const state of [...held.keys.values()]) this.#step(held, state, { t: "remove" });
    this.#stepGroup(held, { t: "remove" });
    this.#count -= held.keys.size;
    held.keys.clear();
  }

  /** What stood of rules that went while the gateway was off. */
  #endOrphans(): void {
    for (const record of this.#found?.values() ?? []) {
      const { rule, alarm, key, standing, shelving } = record;
      const definition: AlarmDefinition = { ...orphan, rule, name: alarm, ruleName: standing === null ? "" : alarm };
      const held: Held = { definition, keys: new Map(), group: noGroup };
      this.#step(held, { ...newAlarmKey(key, record.device, this.#at().tick), standing, shelving }, { t: "remove" });
      this.#count -= held.keys.size;
    }
    this.#found = null;
  }

  #tick(): void {
    for (const held of this.#held.values()) {
      const at = this.#at();
      for (const state of [...held.keys.values()]) {
        const due = alarmDue(state, held.definition, at);
        if (due !== null && due <= at.tick) this.#step(held, state, { t: "tick" });
      }
      const due = groupDue(held.group, held.definition, at);
      if (due !== null && due <= at.tick) this.#stepGroup(held, { t: "tick" });
    }
    this.#armAll();
    void this.#writer.written();
  }

  /** Looks at all of them once the first is due; a row only ever brings that forward, so that it costs no more with many keys. */
  #armAll(): void {
    const at = this.#at();
    let next = Number.POSITIVE_INFINITY;
    for (const held of this.#held.values()) {
      for (const state of held.keys.values()) next = Math.min(next, alarmDue(state, held.definition, at) ?? next);
      next = Math.min(next, groupDue(held.group, held.definition, at) ?? next);
    }
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#arm(next);
  }

  #arm(due: number | null): void {
    if (due === null || due >= this.#dueAt || this.#isClosed) return;
    this.#cancel();
    this.#dueAt = due;
    const delayMs = Math.ceil((due - this.#at().tick) / 1000);
    const run = () => this.#tick();
    this.#cancel = this.#options.clock.after(Math.min(longestWaitMs, Math.max(shortestWaitMs, delayMs)), run);
  }

  #at() {
    const { clock } = this.#options;
    return { tick: this.#base + clock.monotonic(), time: clock.now() };
  }

  #deviceFor({ device }: AlarmDefinition, row: ObjectValue): DeviceUid | null {
    return device === null ? null : this.#deviceOf(fillText(device, row, 256));
  }
}

/** of timers; wall time, by which shelving ends, may have been set meanwhile */
const longestWaitMs = 60_000;
/** so often it is looked whether any key can be forgotten, while there is no room */
const pruneMicros = 1_000_000;
/** so that many that are due one after the other are looked at together */
const shortestWaitMs = 5;

const idOf = (rule: RuleUid, alarm: string) => `${rule}/${alarm}`;
const nameOf = ({ ruleName, name }: AlarmDefinition) => `${ruleName}/${name}`;
const recordId = (rule: RuleUid, alarm: string, key: string) => `${rule}/${alarm}/${key}`;

function keyOf(definition: AlarmDefinition, row: ObjectValue): string {
  const key = fillText(definition.key, row, 256);
  return key === floodKey ? `(${key})` : key;
}

function isIdle({ standing, shelving, isOn }: AlarmKey): boolean {
  return standing === null && shelving === null && !isOn;
}

/** of a rule that is gone */
const orphan: Omit<AlarmDefinition, "rule" | "name" | "ruleName"> = {
  ...{ key: "", device: null, severity: "minor", message: "", active: null, when: null, clearAfter: null },
  ...{ onDelay: 0, offDelay: 0, isAcknowledgeNeeded: true, flood: { more: 1, within: 1 } },
  ...{ escalate: [], onRaise: [], onClear: [] },
};
