import type {
  BootId,
  BrokerNews,
  CallOutcome,
  DeviceUid,
  EffectiveDevice,
  EffectiveRule,
  LocalCall,
  LocalEnd,
  LocalWrite,
  Micros,
  NodeUid,
  RuleHealth,
} from "@penstock/model";
import type { LogLevel } from "@penstock/runtime";
import type { RuleSet } from "../rules.ts";
import type { LocalMessage } from "../sinks/sink-parts.ts";
import type { PackedBatches } from "./batch-packs.ts";
import type { ToldMetric } from "./told-metrics.ts";

/** What the rules' thread begins with. */
export interface ThreadStart {
  /** of the stage in the gateway's data folder */
  readonly folder: string;
  readonly node: NodeUid;
  readonly boot: BootId;
  /** of the wall clock */
  readonly floor: Micros;
  /** wall − monotonic microseconds as the cloud has told it; null: it has not */
  readonly offset: number | null;
  readonly logLevel: LogLevel;
  readonly syncWitnessPath: string | null;
  /** what rules remembered is set aside: the thread did not live with it */
  readonly forgets: boolean;
  /** what is seen of it while it does not answer */
  readonly pulse: SharedArrayBuffer;
}

/** What has become of a set. */
export interface Applied {
  /** what other devices give is not wanted */
  readonly reads: readonly DeviceUid[];
  readonly status: readonly RuleHealth[];
}

/** What the gateway asks of the rules' thread. */
export type ThreadMethods = {
  /** parts of the next set, which is too large for one turn */
  part(of: { readonly devices: readonly EffectiveDevice[]; readonly rules: readonly EffectiveRule[] }): void;
  /** with the parts that came before; resolves when the set, or one after it, is at work */
  apply(of: Omit<RuleSet, "devices" | "rules">): Promise<Applied>;
  /** resolves when the rules take more */
  take(batches: PackedBatches): Promise<void>;
  learn(time: { readonly offset: number }): void;
  /** what an alarm does to devices: its `n`th step */
  act(of: {
    readonly sink: number;
    readonly on: "raise" | "clear";
    readonly n: number;
    readonly row: Uint8Array;
  }): void;
  /** resolves when rules take more of it */
  news(of: { readonly listener: number; readonly messages: readonly BrokerNews[] }): Promise<void>;
  /** of a value set by a rule */
  ended(of: { readonly id: number; readonly end: LocalEnd }): void;
};

/** What the rules' thread asks of the gateway. */
export type SiteMethods = {
  publish(message: LocalMessage): Promise<void>;
  readings(batches: PackedBatches): Promise<void>;
  /** how it ends is told by `ended` */
  setLocally(of: { readonly id: number; readonly write: LocalWrite }): Promise<void>;
  callHere(call: LocalCall): Promise<CallOutcome>;
  /** what comes is told by `news` */
  listen(of: { readonly listener: number; readonly filter: string }): void;
  unlisten(listener: number): Promise<void>;
  openAlarm(of: { readonly sink: number; readonly rule: string; readonly alarm: string }): void;
  /** rows as `encodeSaved` has them: moments keep being moments */
  alarm(of: {
    readonly sink: number;
    readonly rule: string;
    readonly number: number;
    readonly time: Micros;
    readonly rows: Uint8Array;
  }): Promise<void>;
  closeAlarm(sink: number): Promise<void>;
};

/** What the rules' thread tells by itself. */
export type ThreadEvent =
  | { readonly t: "metrics"; readonly changes: readonly ToldMetric[] }
  | { readonly t: "status"; readonly status: readonly RuleHealth[] };
