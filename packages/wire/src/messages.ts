/**
 * What edge and cloud say to each other, by lane. A message is a MessagePack map with a `t`; unknown keys and unknown `t`
 * are ignored and counted. It travels in one or more frames of its lane (frames.ts).
 *
 * Session: the edge opens the WebSocket and sends `hello` on control as its first message; the cloud answers `welcome` or
 * `refused` and closes. Nothing else is sent before that.
 */
import type {
  AlarmAct,
  AlarmActOutcome,
  AlarmTransition,
  AssignedSet,
  BootId,
  BrowsedNode,
  CallReport,
  ConnectionUid,
  DesiredReport,
  DesiredState,
  DesiredValue,
  DeviceUid,
  Epoch,
  ErrorCode,
  LayoutProperty,
  MethodCall,
  Micros,
  NodeReport,
  PropertyHold,
  Ranges,
  ToldMapper,
} from "@penstock/model";

export const linkVersions = { min: 1, max: 1 } as const;
export const linkAlpn = "penstock/1";
export const linkPath = "/link";

/** Lane numbers on the wire. Others are ignored and counted. A lower number goes first. */
export const lanes = { control: 0, live: 1, backlog: 2, bulk: 3, tunnel: 4 } as const;
export type Lane = keyof typeof lanes;

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export interface Hello {
  readonly t: "hello";
  readonly versions: VersionRange;
  readonly features: readonly string[];
  readonly agent: string;
  readonly boot: BootId;
  readonly epoch: Epoch;
  readonly lowest: number;
  readonly highest: number;
  /** highest as found on disk when this boot began */
  readonly recovered: number;
  /**
   * settled before this epoch began: [] for a fresh outbox, else what older epochs of this outbox hold. Left out where
   * that was not written down, and beyond `limits.helloRanges` ranges; the cloud then takes all epochs for one numbering
   */
  readonly settled?: Ranges;
  /** the gateway's wall clock, and whether it trusts it */
  readonly time: Micros;
  readonly timeTrusted: boolean;
  readonly assignedVersion: number;
  /** where a proxy ends TLS; off by default */
  readonly proof?: { readonly certificatePem: string; readonly signature: Uint8Array };
}
/**
 * When the cloud made a message: microseconds of its monotonic clock since the session began there, never wall time, which
 * may step. In a message with a `ttlMs` it is of the moment for which that was reckoned, so that the gateway can take off
 * what the message spent waiting and on the line. Left out by a cloud that knows nothing of it: then nothing is taken off.
 */
export interface Stamp {
  readonly stamp?: number;
}

export interface Welcome extends Stamp {
  readonly t: "welcome";
  /** like `stamp`: when the cloud heard the hello, which it may take its time to answer */
  readonly helloStamp?: number;
  readonly version: number;
  readonly features: readonly string[];
  readonly time: Micros;
  /** committed ranges of (node, epoch) */
  readonly held: Ranges;
  /** true: offer the unacknowledged again under a new epoch, then say hello again on a new connection */
  readonly newEpoch: boolean;
  /** bytes the edge may have unacknowledged, per lane, until a `credit` says otherwise */
  readonly credit: { readonly live: number; readonly backlog: number };
}
export interface Refused {
  readonly t: "refused";
  readonly code: ErrorCode;
  readonly message: string;
  readonly versions: VersionRange;
}

/** On live and backlog, edge → cloud. */
export interface Readings {
  readonly t: "readings";
  /** layouts used here for the first time in this session */
  readonly layouts: readonly {
    readonly id: number;
    readonly device: DeviceUid;
    readonly properties: readonly LayoutProperty[];
  }[];
  readonly entries: readonly WireEntry[];
}
/** firstSeq, count, layout id, body; body is deflated (raw, level 1) when `z` is 1 */
export type WireEntry = readonly [firstSeq: number, count: number, layoutId: number, body: Uint8Array, z?: 0 | 1];

/** On control, cloud → edge: committed for good. */
export interface Ack {
  readonly t: "ack";
  readonly ranges: Ranges;
  readonly credit?: { readonly live: number; readonly backlog: number };
}
/** On control, edge → cloud: removed by the full policy before they were acknowledged; raised as a gap. */
export interface Dropped {
  readonly t: "dropped";
  readonly lowest: number;
}

export interface Assigned {
  readonly t: "assigned";
  readonly set: AssignedSet;
}
export interface Applied {
  readonly t: "applied";
  readonly version: number;
}
export interface Desired extends Stamp {
  readonly t: "desired";
  readonly values: readonly DesiredValue[];
}
export interface DesiredTaken {
  readonly t: "desired-taken";
  readonly taken: readonly {
    readonly device: DeviceUid;
    readonly property: string;
    readonly version: number;
    /** when the gateway had it on disk, by its own clock */
    readonly time?: Micros;
  }[];
}
export interface Reports {
  readonly t: "reports";
  readonly reports: readonly DesiredReport[];
}
export interface ReportsTaken {
  readonly t: "reports-taken";
  readonly taken: readonly {
    readonly device: DeviceUid;
    readonly property: string;
    readonly version: number;
    readonly state: DesiredState;
  }[];
}
/** On control, edge → cloud: all values that are held at the gateway now; when a session begins and whenever they change. */
export interface Holds {
  readonly t: "holds";
  readonly holds: readonly PropertyHold[];
}
/** On control, cloud → edge. A call that comes twice is one call. */
export interface Calls extends Stamp {
  readonly t: "calls";
  readonly calls: readonly MethodCall[];
}
/** On control, edge → cloud: on disk; from now on they may reach the device. */
export interface CallsTaken {
  readonly t: "calls-taken";
  readonly ids: readonly string[];
}
/** On control, edge → cloud. */
export interface CallReports {
  readonly t: "call-reports";
  readonly reports: readonly CallReport[];
}
/** On control, cloud → edge: committed. */
export interface CallReportsTaken {
  readonly t: "call-reports-taken";
  readonly ids: readonly string[];
}
/** On control, edge → cloud: what happened to alarms of rules; told again in each session until it is taken. */
export interface Alarms {
  readonly t: "alarms";
  /** of the gateway's alarm journal, in which the numbers count */
  readonly epoch: string;
  readonly transitions: readonly AlarmTransition[];
}
/** On control, cloud → edge: committed. */
export interface AlarmsTaken {
  readonly t: "alarms-taken";
  readonly epoch: string;
  readonly numbers: readonly number[];
}
/** On control, cloud → edge. An act that comes twice is one act. */
export interface AlarmActs {
  readonly t: "alarm-acts";
  readonly acts: readonly AlarmAct[];
}
/** On control, edge → cloud: what became of them is on disk. */
export interface AlarmActsDone {
  readonly t: "alarm-acts-done";
  readonly outcomes: readonly AlarmActOutcome[];
}
/** On control, edge → cloud: all mappers that the gateway has; when a session begins and whenever they change. */
export interface Mappers {
  readonly t: "mappers";
  readonly mappers: readonly ToldMapper[];
}
/** On control, cloud → edge: of these it does not hold the manifests. */
export interface NeedManifests {
  readonly t: "need-manifests";
  readonly hashes: readonly string[];
}
/** On bulk, edge → cloud: an answer to `need-manifests`; left out for what the gateway does not have any more. */
export interface Manifest {
  readonly t: "manifest";
  readonly hash: string;
  /** `mapper.json` as it is, at most 1 MiB */
  readonly text: Uint8Array;
}
/** On control, cloud → edge: what does the other end of a connection have below a path? Somebody waits for the answer. */
export interface Browse {
  readonly t: "browse";
  readonly id: number;
  readonly connection: ConnectionUid;
  readonly path: readonly string[];
}
/** On bulk, edge → cloud. */
export interface Browsed {
  readonly t: "browsed";
  readonly id: number;
  /** empty where there is an error */
  readonly nodes: readonly BrowsedNode[];
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}
export interface Status {
  readonly t: "status";
  readonly report: NodeReport;
}
export interface Renew {
  readonly t: "renew";
  readonly publicKey: Uint8Array;
}
export interface Certificate {
  readonly t: "certificate";
  readonly certificatePem: string;
  readonly trustBundlePem: string;
}
/** Stamped by the cloud only. */
export interface Ping extends Stamp {
  readonly t: "ping" | "pong";
  readonly n: number;
}

export type EdgeMessage =
  | Hello
  | Readings
  | Dropped
  | Applied
  | DesiredTaken
  | Reports
  | Holds
  | CallsTaken
  | CallReports
  | Alarms
  | AlarmActsDone
  | Mappers
  | Manifest
  | Browsed
  | Status
  | Renew
  | Ping;
export type CloudMessage =
  | Welcome
  | Refused
  | Ack
  | Assigned
  | Desired
  | ReportsTaken
  | Calls
  | CallReportsTaken
  | AlarmsTaken
  | AlarmActs
  | NeedManifests
  | Browse
  | Certificate
  | Ping;
export type LinkMessage = EdgeMessage | CloudMessage;
