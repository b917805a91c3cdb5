import type {
  AlarmAct,
  AlarmActOutcome,
  AlarmTransition,
  AssignedSet,
  CallReport,
  CloudControl,
  DesiredReport,
  DesiredValue,
  ErrorCode,
  IngestEntry,
  Layout,
  limits,
  MethodCall,
  Micros,
  NodeReport,
  PropertyHold,
  Ranges,
  ToldMapper,
} from "@penstock/model";
import type { AnyMessage, Browse, Browsed, CloudMessage, DesiredTaken, Hello, ReportsTaken } from "@penstock/wire";
import type { Credit } from "./credit.ts";

/** One connection's worth of link in the cloud. Times are monotonic microseconds unless they are Micros. */
export interface CloudSession {
  readonly phase: "greeting" | "opening" | "open" | "over";
  readonly openedAt: number;
  /** when the hello came; `openedAt` before that */
  readonly greetedAt: number;
  readonly heardAt: number;
  readonly pingedAt: number;
  readonly pings: number;
  readonly hello: Hello | null;
  readonly layouts: ReadonlyMap<number, Layout>;
  readonly layoutProperties: number;
  /** committed, or told as lost */
  readonly held: Ranges;
  /** bytes handed to ingest and not committed */
  readonly pendingBytes: number;
  readonly toAck: Ranges;
  readonly ackedAt: number;
  readonly isAckTimed: boolean;
  readonly credit: Credit;
  /** version of the set that the gateway has or was sent here; null before its hello */
  readonly assignedSent: number | null;
  /** version last sent per `device/property` */
  readonly desiredSent: ReadonlyMap<string, number>;
  /** ids of calls sent in this session */
  readonly callsSent: ReadonlySet<string>;
  /** ids of what people did about alarms, sent in this session */
  readonly actsSent: ReadonlySet<string>;
  /** messages about what was dropped, in the minute that began then */
  readonly dropped: { readonly since: number; readonly count: number };
  /** sets of mappers that it told of, in the minute that began then */
  readonly mapperSets: { readonly since: number; readonly count: number };
  /** hashes of manifests that were asked for and have not come */
  readonly manifestsAsked: ReadonlySet<string>;
  /** highest version that the gateway said it works by */
  readonly applied: number;
  /** messages of unknown kinds and unknown fields */
  readonly ignored: number;
}

export type CloudInput =
  | { readonly t: "message"; readonly message: AnyMessage; readonly now: number }
  | { readonly t: "heard"; readonly now: number }
  | {
      readonly t: "begun";
      readonly held: Ranges;
      readonly newEpoch: boolean;
      readonly gap: Ranges;
      readonly credit: Credit;
      readonly time: Micros;
      readonly now: number;
    }
  | { readonly t: "committed"; readonly ranges: Ranges; readonly now: number; readonly credit: Credit }
  /** the entries of one submit are through, whatever became of them */
  | { readonly t: "settled"; readonly bytes: number }
  | { readonly t: "ack-due"; readonly now: number; readonly credit: Credit }
  | { readonly t: "assigned"; readonly set: AssignedSet }
  /** `asOf`: monotonic time for which the times to live in it were reckoned, or before */
  | { readonly t: "desired"; readonly values: readonly DesiredValue[]; readonly asOf: number }
  | { readonly t: "calls"; readonly calls: readonly MethodCall[]; readonly asOf: number }
  | { readonly t: "call-reports-taken"; readonly ids: readonly string[] }
  | { readonly t: "alarms-taken"; readonly epoch: string; readonly numbers: readonly number[] }
  | { readonly t: "alarm-acts"; readonly acts: readonly AlarmAct[] }
  | { readonly t: "need-manifests"; readonly hashes: readonly string[] }
  | { readonly t: "reports-taken"; readonly taken: ReportsTaken["taken"] }
  | Browse
  | { readonly t: "certificate"; readonly certificatePem: string; readonly trustBundlePem: string }
  | { readonly t: "refuse"; readonly code: ErrorCode; readonly message: string }
  | { readonly t: "tick"; readonly now: number; readonly credit: Credit };

export type CloudEffect =
  | { readonly t: "send"; readonly message: CloudMessage }
  /** authorize the node, replace its older session, open its source */
  | { readonly t: "begin"; readonly hello: Hello }
  | { readonly t: "opened"; readonly hello: Hello }
  | { readonly t: "submit"; readonly entries: readonly IngestEntry[]; readonly bytes: number }
  | { readonly t: "ack-later"; readonly delayMs: number }
  | { readonly t: "applied"; readonly version: number }
  | { readonly t: "desired-taken"; readonly taken: DesiredTaken["taken"] }
  | { readonly t: "take-reports"; readonly reports: readonly DesiredReport[] }
  | { readonly t: "take-holds"; readonly holds: readonly PropertyHold[] }
  | { readonly t: "calls-taken"; readonly ids: readonly string[] }
  | { readonly t: "take-call-reports"; readonly reports: readonly CallReport[] }
  | { readonly t: "take-alarms"; readonly epoch: string; readonly transitions: readonly AlarmTransition[] }
  | { readonly t: "alarm-acts-done"; readonly outcomes: readonly AlarmActOutcome[] }
  | { readonly t: "take-mappers"; readonly mappers: readonly ToldMapper[] }
  | { readonly t: "take-manifest"; readonly hash: string; readonly text: Uint8Array }
  | { readonly t: "browsed"; readonly answer: Browsed }
  | { readonly t: "report"; readonly report: NodeReport }
  | ({ readonly t: "raise" } & Parameters<CloudControl["raise"]>[1])
  | { readonly t: "renew"; readonly publicKeyDer: Uint8Array }
  /** counts what the gateway did beyond a limit */
  | { readonly t: "limited"; readonly limit: keyof typeof limits }
  | { readonly t: "close"; readonly code: ErrorCode; readonly message: string };

export interface CloudStep {
  readonly state: CloudSession;
  readonly effects: readonly CloudEffect[];
}
