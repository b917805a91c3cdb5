import type { Severity } from "./alarm.ts";
import type { ErrorCode } from "./errors.ts";
import type { DeviceUid, Micros, RuleUid } from "./ids.ts";

/**
 * Alarms that rules raise. The gateway decides, also while the cloud is away; the cloud keeps what became of them.
 *
 * unacknowledged: it stands, and nobody has seen it · acknowledged: it stands, and somebody has · returned: it is over, and
 * nobody has seen it · normal: it is over and done with.
 *
 * @source ANSI/ISA-18.2-2016, figure 3 (A, B, C, D and shelved G); OPC UA 1.05 Part 9, 5.8 (ActiveState, AckedState, ShelvingState)
 */
export const alarmStates = ["unacknowledged", "acknowledged", "returned", "normal"] as const;
export type AlarmState = (typeof alarmStates)[number];

export function alarmStateOf(isActive: boolean, isAcknowledged: boolean): AlarmState {
  if (isActive) return isAcknowledged ? "acknowledged" : "unacknowledged";
  return isAcknowledged ? "normal" : "returned";
}

/** counted: it was raised again too often to tell each time; removed: its rule is gone */
export const alarmTransitionKinds = [
  "raised",
  "cleared",
  "acknowledged",
  "commented",
  "escalated",
  "shelved",
  "unshelved",
  "counted",
  "removed",
] as const;
export type AlarmTransitionKind = (typeof alarmTransitionKinds)[number];

/** Out of sight, until a time or, with null, until it has returned to normal once. */
export interface Shelving {
  readonly until: Micros | null;
  readonly by: string;
}

/** What happened to an alarm, and how it is since: told by the gateway until the cloud has it, and stored once. */
export interface AlarmTransition {
  /** from 1, without gaps, within the epoch of the gateway's alarm journal */
  readonly number: number;
  /** number of the transition that raised it first; 0: it does not stand, as when it is shelved beforehand */
  readonly occurrence: number;
  readonly kind: AlarmTransitionKind;
  /** by the gateway's clock */
  readonly time: Micros;
  readonly rule: RuleUid;
  readonly ruleName: string;
  /** name of the alarm within its rule */
  readonly alarm: string;
  /** tells alarms of one name apart; "*" is the group that a flood of them makes */
  readonly key: string;
  readonly device: DeviceUid | null;
  readonly severity: Severity;
  readonly message: string;
  readonly state: AlarmState;
  /** how often it was raised since it began; of a group, how many alarms it stands for */
  readonly count: number;
  readonly shelving: Shelving | null;
  /** null: the gateway itself */
  readonly who: string | null;
  readonly comment: string | null;
  /** steps of escalation that are done */
  readonly escalated: number;
}

export const alarmActKinds = ["acknowledge", "shelve", "unshelve", "comment"] as const;
export type AlarmActKind = (typeof alarmActKinds)[number];

/** What somebody does about an alarm, on its way down. One that comes twice is one. */
export interface AlarmAct {
  /** 32 hex digits */
  readonly id: string;
  readonly kind: AlarmActKind;
  readonly rule: RuleUid;
  readonly alarm: string;
  readonly key: string;
  /** the one that was seen; 0: whichever stands */
  readonly occurrence: number;
  readonly who: string;
  readonly comment: string | null;
  /** of shelve; null: until it has returned to normal once */
  readonly until: Micros | null;
}
/** What became of an act; on the gateway's disk. */
export interface AlarmActOutcome {
  readonly id: string;
  /** null: done */
  readonly reason: ErrorCode | null;
}

/** What the gateway's link needs of its alarms. */
export interface EdgeAlarms {
  /** random, of the journal; numbers go on counting within it */
  epoch(): string;
  /** durable and not taken by the cloud yet, ascending */
  pendingTransitions(): readonly AlarmTransition[];
  onTransition(listener: () => void): () => void;
  /** the cloud has committed these numbers */
  transitionsTaken(epoch: string, numbers: readonly number[]): Promise<void>;
  /** resolves when what they did is on disk; one that came before is answered as it was then */
  takeActs(acts: readonly AlarmAct[]): Promise<readonly AlarmActOutcome[]>;
}
