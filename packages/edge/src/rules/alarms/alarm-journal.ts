import {
  type AlarmActOutcome,
  type AlarmTransition,
  type DeviceUid,
  limits,
  type RuleUid,
  type Shelving,
} from "@penstock/model";
import type { Value } from "@penstock/rules";
import { type Codec, type Files, type Journal, openJournal, plainCodec } from "@penstock/runtime";
import type { Standing } from "./alarm-step.ts";

/** An alarm that stands or is shelved, as a restart finds it. */
export interface AlarmRecord {
  readonly rule: RuleUid;
  readonly alarm: string;
  readonly key: string;
  readonly device: DeviceUid | null;
  readonly standing: Standing | null;
  readonly shelving: Shelving | null;
  /** of a value that is stuck: which */
  readonly base: Value;
}
export interface AlarmsOnDisk {
  /** random, made with the journal */
  readonly epoch: string;
  /** number of the last transition */
  readonly last: number;
  readonly records: ReadonlyMap<string, AlarmRecord>;
  /** not taken by the cloud yet, ascending */
  readonly transitions: readonly AlarmTransition[];
  /** of the last acts, so that one that comes twice is one */
  readonly outcomes: ReadonlyMap<string, AlarmActOutcome>;
}
export interface AlarmEntry {
  readonly epoch?: string;
  /** null: it stands no more */
  readonly records?: readonly (readonly [id: string, record: AlarmRecord | null])[];
  readonly transitions?: readonly AlarmTransition[];
  readonly outcomes?: readonly AlarmActOutcome[];
  /** numbers that the cloud has */
  readonly taken?: readonly number[];
}

interface Plain {
  readonly epoch: string;
  readonly last: number;
  readonly records: readonly (readonly [string, AlarmRecord])[];
  readonly transitions: readonly AlarmTransition[];
  readonly outcomes: readonly AlarmActOutcome[];
}
const plain = plainCodec<Plain>();
const codec: Codec<AlarmsOnDisk> = {
  encode: (state) => plain.encode({ ...state, records: [...state.records], outcomes: [...state.outcomes.values()] }),
  decode(bytes) {
    const state = plain.decode(bytes);
    return {
      ...state,
      records: new Map(state.records),
      outcomes: new Map(state.outcomes.map((outcome) => [outcome.id, outcome])),
    };
  },
};

export function openAlarmJournal(options: {
  readonly files: Files;
  readonly folder: string;
}): Promise<Journal<AlarmsOnDisk, AlarmEntry>> {
  return openJournal({
    ...options,
    initial: { epoch: "", last: 0, records: new Map(), transitions: [], outcomes: new Map() },
    stateCodec: codec,
    apply: applied,
  });
}

function applied(before: AlarmsOnDisk, entry: AlarmEntry): AlarmsOnDisk {
  let { records, outcomes, transitions, last } = before;
  if (entry.records !== undefined) {
    const changed = new Map(records);
    for (const [id, record] of entry.records) {
      if (record === null) changed.delete(id);
      else changed.set(id, record);
    }
    records = changed;
  }
  if (entry.outcomes !== undefined) {
    const changed = new Map(outcomes);
    for (const outcome of entry.outcomes) changed.set(outcome.id, outcome);
    const surplus = changed.size - limits.alarmActsPerNode;
    for (const id of [...changed.keys()].slice(0, Math.max(0, surplus))) changed.delete(id);
    outcomes = changed;
  }
  if (entry.transitions !== undefined) {
    // Drop oldest; who appends them counts what goes.
    transitions = [...transitions, ...entry.transitions].slice(-limits.alarmTransitionsPerNode);
    last = entry.transitions.at(-1)?.number ?? last;
  }
  if (entry.taken !== undefined) {
    const taken = new Set(entry.taken);
    transitions = transitions.filter(({ number }) => !taken.has(number));
  }
  return { epoch: entry.epoch ?? before.epoch, last, records, transitions, outcomes };
}
