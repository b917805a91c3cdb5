/**
 * The contracts between stages, in the order of the flow. Each states its promise and its callers' duty. A stage imports
 * these, never another stage; main.ts hands each what it needs.
 */

import type { BrowsedNode } from "./browse.ts";
import type { DesiredReport, DesiredValue, PropertyHold } from "./desired.ts";
import type { AppError, ErrorCode } from "./errors.ts";
import type { BootId, ConnectionUid, DeviceUid, Epoch, Micros, NodeUid, RuleUid, TenantUid } from "./ids.ts";
import type { ToldMapper } from "./known-mapper.ts";
import type { CallReport, MethodCall } from "./method-call.ts";
import type { Ranges } from "./ranges.ts";
import type { Layout, Reading, ReadingBatch } from "./reading.ts";
import type { AssignedSet, Cadence, EffectiveDevice } from "./resources/effective.ts";
import type { AlarmAct, AlarmActOutcome, AlarmTransition } from "./rule-alarm.ts";
import type { Value, ValueType } from "./value.ts";

// ── edge: bus ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Order is kept per device. A consumer is called with one message at a time, the next only after its promise settles. */
export interface Bus {
  /** resolves when every consumer with policy "wait" has room */
  publish(batch: ReadingBatch): Promise<void>;
  subscribe(consumer: BusConsumer): () => void;
}
export interface BusConsumer {
  readonly name: string;
  /** how many batches may wait */
  readonly bound: number;
  readonly policy: "wait" | "drop-oldest";
  take(batch: ReadingBatch): void | Promise<void>;
}

// ── edge: collect ────────────────────────────────────────────────────────────────────────────────────────────────────

/** One value to be written, and where to. */
export interface DeviceWrite {
  readonly property: string;
  readonly value: Value;
}
/**
 * What twin needs of collect. All reject with an AppError that has a mapper/… code, or with twin/unknown-property. `trace`
 * is the id that trace lines carry.
 */
export interface DeviceAccess {
  /**
   * all of them in as few requests as the device allows; one outcome a write, in their order: null, or why not. Rejects
   * only when nothing at all was written
   */
  write(
    device: DeviceUid,
    writes: readonly DeviceWrite[],
    signal: AbortSignal,
    trace?: string,
  ): Promise<readonly (AppError | null)[]>;
  read(device: DeviceUid, property: string, signal: AbortSignal, trace?: string): Promise<Value>;
  /** at most once: a rejection with mapper/timeout or mapper/connection-lost leaves open whether the device acted */
  call(request: MethodRequest, signal: AbortSignal, trace?: string): Promise<Value>;
}
/** A method of a device by the mapper's own way; arguments have been checked. */
export interface MethodRequest {
  readonly device: DeviceUid;
  readonly method: string;
  readonly arguments: Readonly<Record<string, Value>>;
  /** called when it goes to the mapper: after a rejection before that the device has certainly not acted */
  readonly onSent?: () => void;
}

export interface MapperStatus {
  readonly mapper: string;
  readonly state: "starting" | "running" | "restarting" | "stopped" | "missing";
  readonly pid: number | null;
  readonly restarts: number;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
}
export interface DeviceHealth {
  readonly device: DeviceUid;
  readonly state: "online" | "offline" | "unknown";
  readonly reason: ErrorCode | null;
  readonly message: string | null;
}
/** How one cycle of one device really runs. */
export interface CycleHealth {
  readonly device: DeviceUid;
  readonly cadence: Cadence;
  readonly properties: number;
  /** over the last minute; null = it did not run */
  readonly measuredMs: number | null;
  readonly longestMs: number | null;
  /** between reports to the cloud, over the last minute; null = none was due */
  readonly reportMs: number | null;
  /** cycles that were due and did not run, since the gateway began with this device */
  readonly overruns: number;
  /** true while it cannot keep its cadence */
  readonly isOverrun: boolean;
}
/** How one line really runs, over the last minute. */
export interface LineHealth {
  readonly connection: ConnectionUid;
  readonly state: "up" | "down" | "waiting";
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** share of time in which a device was being asked */
  readonly loadPercent: number;
  readonly requestsPerSecond: number;
}

// ── edge: outbox ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface OutboxBounds {
  readonly epoch: Epoch;
  /** first seq still held (highest + 1 when empty) */
  readonly lowest: number;
  /** last durable seq; 0 when none was ever given */
  readonly highest: number;
  /** `highest` as found on disk when the first process started that the cloud has not agreed with since */
  readonly recovered: number;
  /** false: what is above `recovered` must not be offered yet; see `agree` */
  readonly agreed: boolean;
  /** seqs that were settled before this epoch began and are not offered under it; null when that was not written down */
  readonly settled: Ranges | null;
}
/** One appended batch; its rows are seq firstSeq .. firstSeq+count-1. Never cut. */
export interface OutboxEntry {
  readonly firstSeq: number;
  readonly count: number;
  readonly layout: Layout;
  /** `encodeBatchBody` of wire */
  readonly body: Uint8Array;
}
export interface OutboxStats {
  readonly bytes: number;
  readonly entries: number;
  readonly readings: number;
  readonly oldestAgeMs: number;
  /** readings removed by the full policy or by age, since the outbox was made; durable */
  readonly dropped: number;
  /** readings refused while full (policy "refuse") or while the disk was full, since start */
  readonly refused: number;
  readonly full: boolean;
  /** full because its disk has no room; left out by agents that do not tell */
  readonly diskFull?: boolean;
}
/** What link needs of the outbox. */
export interface OutboxReader {
  bounds(): OutboxBounds;
  stats(): OutboxStats;
  /** durable entries in order, the first holding a seq ≥ from; at least one if any exists, then up to maxBytes of bodies */
  read(from: number, maxBytes: number): Promise<readonly OutboxEntry[]>;
  /** called after new entries have become durable */
  onDurable(listener: (highest: number) => void): () => void;
  /** the cloud holds these for good; an entry leaves once all of it is acknowledged and every cursor has passed it */
  acknowledge(ranges: Ranges): void;
  /**
   * the cloud has welcomed this epoch with `recovered` as its highest seq, so it holds no other readings under the seqs above.
   * Resolves when that is on disk; then those may be offered
   */
  agree(): Promise<void>;
  /**
   * cloud's order: what is still unacknowledged is offered again under a new epoch, with the same seq numbers.
   * `held`: committed under the old one, or told as lost
   */
  newEpoch(held: Ranges): Promise<Epoch>;
}
export interface Outbox extends OutboxReader {
  /** resolves after fdatasync with the place of the batch; rejects with outbox/full, outbox/disk-full, outbox/write-failed */
  append(batch: ReadingBatch): Promise<{ readonly epoch: Epoch; readonly firstSeq: number }>;
  close(): Promise<void>;
}

// ── edge: link hands control messages to their stages ────────────────────────────────────────────────────────────────

/** What link needs of resources and twin at the gateway. Each resolves after the change is durable: acknowledge last. */
export interface EdgeControl {
  /** version of the set that is on disk; 0 when none */
  assignedVersion(): number;
  applyAssigned(set: AssignedSet): Promise<void>;
  takeDesired(values: readonly DesiredValue[]): Promise<void>;
  /** reports not yet taken by the cloud, oldest first */
  pendingReports(): readonly DesiredReport[];
  onReport(listener: () => void): () => void;
  reportsTaken(
    taken: readonly {
      readonly device: DeviceUid;
      readonly property: string;
      readonly version: number;
      readonly state: DesiredReport["state"];
    }[],
  ): Promise<void>;
  /** a call that came before is not carried out again */
  takeCalls(calls: readonly MethodCall[]): Promise<void>;
  /** of calls that have ended, not yet taken by the cloud, oldest first */
  pendingCallReports(): readonly CallReport[];
  onCallReport(listener: () => void): () => void;
  callReportsTaken(ids: readonly string[]): Promise<void>;
  /** all that stand now; the cloud is told them when a session begins and whenever they change */
  holds(): readonly PropertyHold[];
  onHolds(listener: () => void): () => void;
}

/** How a rule is at its gateway; counts since it began there. */
export interface RuleHealth {
  readonly rule: RuleUid;
  readonly generation: number;
  /** failed: it stopped by itself */
  readonly state: "running" | "stopped" | "refused" | "failed";
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** rows and groups that could not be computed, and actions that could not be done */
  readonly errors: number;
  readonly lastError: string | null;
}

/** A message at the gateway's broker, as a stage of the gateway hears it. */
export interface BrokerNews {
  readonly topic: string;
  readonly payload: Uint8Array;
}
/** Takes messages in the order in which they came. The next ones come when it resolves; what it rejects is lost and counted. */
export type TakeNews = (messages: readonly BrokerNews[]) => Promise<void>;
/**
 * Listens at the gateway's broker, ours or the one that was chosen, with no login of its own.
 *
 * @param filter  as of an MQTT subscription; `#` does not reach topics that start with `$`
 */
export type ListenAtBroker = (filter: string, take: TakeNews) => { close(): Promise<void> };

/** What a node says of itself now and then; latest wins. */
export interface NodeReport {
  readonly agentVersion: string;
  readonly mappers: readonly MapperStatus[];
  readonly devices: readonly DeviceHealth[];
  /** the slowest against their cadence first, at most 1,000 */
  readonly cycles: readonly CycleHealth[];
  readonly lines: readonly LineHealth[];
  /** those that are not well first, at most 1,000; left out by agents of before there were rules */
  readonly rules?: readonly RuleHealth[];
  readonly outbox: OutboxStats;
  /** what was dropped or refused since the agent started, by metric name; what is 0 is left out */
  readonly counters: Readonly<Record<string, number>>;
}

// ── cloud: ingest and store ──────────────────────────────────────────────────────────────────────────────────────────

export interface Source {
  /** the store's own number of (tenant, node, epoch) */
  readonly id: number;
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  /** grows with every session of the node; a commit with an older one is refused with ingest/fenced */
  readonly generation: number;
  /** what is settled: committed, or recorded as lost; seq numbers */
  readonly ranges: Ranges;
  /** the ranges of all epochs of the node, this one included: a new epoch goes on counting where the last one was */
  readonly nodeRanges: Ranges;
  /** boot id of the last session that committed under this epoch, if any */
  readonly lastBoot: BootId | null;
}
export interface StoredBatch {
  /** from `defineLayout` */
  readonly layoutId: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly body: Uint8Array;
}
export interface SeriesCommit {
  readonly source: number;
  readonly generation: number;
  readonly batches: readonly StoredBatch[];
  /** the source's committed ranges after this commit */
  readonly ranges: Ranges;
}

/** The series store: every accepted reading exactly once. One writer; the same contract has other backends later. */
export interface SeriesStore {
  /** begins a session: generation grows, older sessions of the node are fenced; durable when it resolves */
  openSource(who: { tenant: TenantUid; node: NodeUid; epoch: Epoch; boot: BootId }): Promise<Source>;
  /** the store's number of the layout; the same layout gives the same number */
  defineLayout(tenant: TenantUid, layout: Layout): Promise<number>;
  /** readings and ranges in one transaction, durable when it resolves; concurrent commits share one fsync */
  commit(commit: SeriesCommit): Promise<void>;
  query(query: SeriesQuery): Promise<SeriesResult>;
  /** newest reading by (time, seq) of each named series; missing ones are left out */
  latest(tenant: TenantUid, series: readonly { device: DeviceUid; property: string }[]): Promise<readonly Reading[]>;
  stats(): Promise<SeriesStats>;
  close(): Promise<void>;
}
export interface SeriesQuery {
  readonly tenant: TenantUid;
  readonly device: DeviceUid;
  readonly property: string;
  /**
   * the property's present type, which every point then has; unless stated, that of the newest layout. A reading from before
   * the property was retyped is answered as its own value where that type holds it exactly (a number as another kind of
   * number), else as null, bad, twin/wrong-type; such readings take no part in an aggregate
   */
  readonly type?: ValueType | undefined;
  /** half-open: from ≤ time < to */
  readonly from: Micros;
  readonly to: Micros;
  /** raw: first `points` readings from `from`, `truncated` if more; buckets: `points` equal slices of [from, to) */
  readonly points: number;
  readonly aggregate: "raw" | "mean" | "min" | "max" | "sum" | "count" | "first" | "last" | "minmax";
}
export interface SeriesPoint {
  readonly time: Micros;
  readonly value: Value;
  readonly quality: Reading["quality"];
  readonly reason: ErrorCode | null;
}
export interface SeriesResult {
  readonly type: ValueType | null;
  readonly points: readonly SeriesPoint[];
  readonly truncated: boolean;
}
export interface SeriesStats {
  readonly readings: number;
  readonly hotBatches: number;
  readonly chunks: number;
  readonly series: number;
  readonly bytes: number;
}

/** What ingest needs to know of a session before it begins: the outbox's bounds as the hello states them. */
export interface IngestHello {
  readonly boot: BootId;
  readonly epoch: Epoch;
  readonly lowest: number;
  readonly highest: number;
  readonly recovered: number;
  /** OutboxBounds.settled; null from a gateway that does not say */
  readonly settled: Ranges | null;
}
/** One entry of the gateway's outbox as it arrived; the body is inflated and not yet decoded. */
export interface IngestEntry {
  readonly firstSeq: number;
  readonly count: number;
  readonly layout: Layout;
  readonly body: Uint8Array;
}
/** What the cloud's link needs of ingest. */
export interface Ingest {
  /** opens the source: older sessions of the node are fenced when it resolves */
  begin(identity: NodeIdentity, hello: IngestHello): Promise<IngestSession>;
}
/**
 * One session's way into the store. Promise: entries may come in any order, twice, or overlap what is held; each reading
 * is stored exactly once. Duty of link: acknowledge only what `submit` resolved with; after a rejection close the session
 * (ingest/fenced, store/write-failed are retried by the gateway on its next one).
 */
export interface IngestSession {
  /** committed ranges of (node, epoch) when the session began; with newEpoch, those of the epoch the hello named */
  readonly held: Ranges;
  /** order to the gateway: the cloud holds more of this epoch than the gateway says it ever had */
  readonly newEpoch: boolean;
  /** seq numbers below the hello's `lowest` that are not held and never will be; link raises the alarm */
  readonly gap: Ranges;
  readonly generation: number;
  /** resolves after the commit, with what may be acknowledged */
  submit(entries: readonly IngestEntry[]): Promise<Ranges>;
  /** the session is over; nothing is submitted afterwards */
  end(): void;
}

/** Told by ingest after a commit: what is new in the store. */
export interface CommittedBatch {
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  readonly firstSeq: number;
  readonly layout: Layout;
  readonly batch: ReadingBatch;
}

// ── cloud: link asks services ────────────────────────────────────────────────────────────────────────────────────────

export interface NodeIdentity {
  readonly tenant: TenantUid;
  readonly node: NodeUid;
}
/** What the cloud's link needs of alarms of rules. */
export interface CloudAlarms {
  /** durable when it resolves; what is told twice is stored once */
  takeTransitions(identity: NodeIdentity, epoch: string, transitions: readonly AlarmTransition[]): Promise<void>;
  /** acts that the gateway has not answered yet, oldest first */
  pendingActs(identity: NodeIdentity): Promise<readonly AlarmAct[]>;
  actsDone(identity: NodeIdentity, outcomes: readonly AlarmActOutcome[]): Promise<void>;
}
/** What the cloud's link needs of services. */
export interface CloudControl {
  readonly ruleAlarms?: CloudAlarms;
  /** throws link/not-authorized when the node is deleted or the certificate revoked */
  authorize(identity: NodeIdentity, certificateFingerprint: string): Promise<void>;
  /** may this node speak for this device: it is, or was once, assigned to it in this tenant */
  wasAssigned(identity: NodeIdentity, device: DeviceUid): Promise<boolean>;
  assigned(identity: NodeIdentity): Promise<AssignedSet>;
  /** desired values the gateway has not taken yet, each at its highest version, with the time left */
  pendingDesired(identity: NodeIdentity): Promise<readonly DesiredValue[]>;
  /** the gateway has them on disk */
  desiredTaken(
    identity: NodeIdentity,
    taken: readonly {
      readonly device: DeviceUid;
      readonly property: string;
      readonly version: number;
      /** when, by the gateway's clock; left out by gateways that do not say */
      readonly time?: Micros;
    }[],
  ): Promise<void>;
  /** durable when it resolves */
  takeReports(identity: NodeIdentity, reports: readonly DesiredReport[]): Promise<void>;
  /** all that stand at the gateway now; durable when it resolves */
  takeHolds(identity: NodeIdentity, holds: readonly PropertyHold[]): Promise<void>;
  /** calls that the gateway has not taken yet, with the time left */
  pendingCalls(identity: NodeIdentity): Promise<readonly MethodCall[]>;
  /** the gateway has them on disk: from now on they may reach the device */
  callsTaken(identity: NodeIdentity, ids: readonly string[]): Promise<void>;
  /** durable when it resolves */
  takeCallReports(identity: NodeIdentity, reports: readonly CallReport[]): Promise<void>;
  /** all mappers that the gateway has now; resolves with the hashes of the manifests to ask for */
  takeMappers(identity: NodeIdentity, mappers: readonly ToldMapper[]): Promise<readonly string[]>;
  /** one that was asked for; durable when it resolves */
  takeManifest(identity: NodeIdentity, hash: string, text: Uint8Array): Promise<void>;
  nodeConnected(
    identity: NodeIdentity,
    hello: { readonly boot: BootId; readonly agentVersion: string; readonly remote: string },
  ): void;
  nodeReport(identity: NodeIdentity, report: NodeReport): void;
  nodeDisconnected(identity: NodeIdentity, reason: string): void;
  applied(identity: NodeIdentity, version: number): void;
  /** `lost`: of ingest/gap; kept as one alarm an epoch, and a seq that was told before does not count again */
  raise(
    identity: NodeIdentity,
    alarm: {
      code: ErrorCode;
      key: string;
      message: string;
      lost?: { readonly epoch: Epoch; readonly from: number; readonly to: number };
    },
  ): void;
  clear(identity: NodeIdentity, alarm: { code: ErrorCode; key: string }): void;
  /**
   * a new certificate for the same key
   *
   * @param fingerprint of the present one; rejects with request/too-many unless that is past two thirds of its life
   */
  renew(
    identity: NodeIdentity,
    publicKeyDer: Uint8Array,
    fingerprint: string,
  ): Promise<{ certificatePem: string; trustBundlePem: string }>;
}
/** What services need of the cloud's link: nudge a connected node. Nothing happens when it is not connected. */
export interface NodeNudger {
  assignedChanged(node: NodeUid): void;
  desiredChanged(node: NodeUid): void;
  callsChanged(node: NodeUid): void;
  alarmActsChanged(node: NodeUid): void;
  /**
   * what the other end of a connection has below a path, as the node answers now
   *
   * @throws AppError link/closed when the node is not connected, request/too-many, mapper/…
   */
  browse(node: NodeUid, connection: ConnectionUid, path: readonly string[]): Promise<readonly BrowsedNode[]>;
  disconnect(node: NodeUid, code: ErrorCode): void;
  isConnected(node: NodeUid): boolean;
}

export type { AssignedSet, EffectiveDevice };
