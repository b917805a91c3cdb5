import {
  AppError,
  addRange,
  type BootId,
  type CallReport,
  type CloudControl,
  type DesiredReport,
  type DesiredValue,
  type DeviceUid,
  type EdgeControl,
  type Epoch,
  type ErrorCode,
  type Ingest,
  type Layout,
  type MethodCall,
  type NodeReport,
  type NodeUid,
  type OutboxEntry,
  type OutboxReader,
  type PropertyHold,
  type Ranges,
  type TenantUid,
  type ToldMapper,
} from "@penstock/model";
import type { Clock, Random } from "@penstock/runtime";
import type { Transport } from "@penstock/wire";
import type { Peer } from "./run-session.ts";

/** Both sides of the link without network, disk and store, for tests. Everything it holds can be looked at. */

export const boot = "b".repeat(32) as BootId;
export const peer: Peer = {
  tenant: "tenant-1" as TenantUid,
  node: "node-1" as NodeUid,
  fingerprint: "f".repeat(64),
  remote: "192.0.2.1:5000",
};
export const layout: Layout = {
  id: 1,
  device: "device-1" as DeviceUid,
  properties: ["a", "b", "c"].map((name) => ({ name, type: "float64" })),
};
export const emptyReport: NodeReport = {
  agentVersion: "0.1.0",
  mappers: [],
  devices: [],
  cycles: [],
  lines: [],
  outbox: { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false },
  counters: {},
};

export class MemoryOutbox implements OutboxReader {
  epoch = "e".repeat(32) as Epoch;
  entries: OutboxEntry[] = [];
  highest = 0;
  acked: Ranges = [];
  newEpochs = 0;
  onAcknowledge: (ranges: Ranges) => void = () => {};
  #listeners = new Set<(highest: number) => void>();

  append(options: { count: number; bytes: number; layout?: Layout; body?: Uint8Array }): void {
    const firstSeq = this.highest + 1;
    this.highest += options.count;
    this.entries.push({
      firstSeq,
      count: options.count,
      layout: options.layout ?? layout,
      body: options.body ?? new Uint8Array(options.bytes).fill(firstSeq),
    });
    for (const listener of this.#listeners) listener(this.highest);
  }
  dropTo(lowest: number): void {
    this.entries = this.entries.filter((entry) => entry.firstSeq >= lowest);
  }
  bounds() {
    return {
      epoch: this.epoch,
      lowest: this.entries[0]?.firstSeq ?? this.highest + 1,
      highest: this.highest,
      recovered: 0,
      agreed: true,
      settled: [],
    };
  }
  async agree() {}
  stats() {
    return emptyReport.outbox;
  }
  async read(from: number, maxBytes: number) {
    const taken: OutboxEntry[] = [];
    let bytes = 0;
    for (const entry of this.entries) {
      if (entry.firstSeq + entry.count <= from) continue;
      bytes += entry.body.length;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(entry);
    }
    return taken;
  }
  onDurable(listener: (highest: number) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  acknowledge(ranges: Ranges) {
    this.onAcknowledge(ranges);
    for (const [from, to] of ranges) this.acked = addRange(this.acked, from, to);
    this.entries = this.entries.filter(
      (entry) => !this.acked.some(([from, to]) => from <= entry.firstSeq && entry.firstSeq + entry.count - 1 <= to),
    );
  }
  async newEpoch() {
    this.newEpochs += 1;
    this.epoch = String(this.newEpochs).padStart(32, "0") as Epoch;
    this.acked = [];
    return this.epoch;
  }
}

export class MemoryIngest implements Ingest {
  /** how often each seq was stored, per epoch */
  readonly stored = new Map<string, Map<number, number>>();
  readonly order: number[] = [];
  committed: Ranges = [];
  epoch: Epoch | null = null;
  begun = 0;
  lastBody: Uint8Array | null = null;
  /** called before each commit; may wait or throw */
  beforeCommit: () => Promise<void> = async () => {};
  newEpochFor: Epoch | null = null;

  async begin(_identity: unknown, hello: { epoch: Epoch; lowest: number }) {
    const generation = ++this.begun;
    if (this.epoch !== hello.epoch) {
      this.epoch = hello.epoch;
      this.committed = [];
    }
    const seqs = this.stored.get(hello.epoch) ?? new Map<number, number>();
    this.stored.set(hello.epoch, seqs);
    return {
      held: this.committed,
      newEpoch: this.newEpochFor === hello.epoch,
      gap: [],
      generation,
      submit: async (entries: readonly { firstSeq: number; count: number; body: Uint8Array }[]) => {
        await this.beforeCommit();
        if (generation !== this.begun) throw new AppError("ingest/fenced", "Cannot commit: a newer session began");
        let ranges: Ranges = [];
        for (const { firstSeq, count, body } of entries) {
          this.lastBody = body;
          for (let seq = firstSeq; seq < firstSeq + count; seq++) {
            if (!this.committed.some(([from, to]) => from <= seq && seq <= to)) {
              seqs.set(seq, (seqs.get(seq) ?? 0) + 1);
              this.order.push(seq);
            }
          }
          this.committed = addRange(this.committed, firstSeq, firstSeq + count - 1);
          ranges = addRange(ranges, firstSeq, firstSeq + count - 1);
        }
        return ranges;
      },
      end: () => {},
    };
  }
}

export class MemoryEdgeControl implements EdgeControl {
  version = 0;
  desired: DesiredValue[] = [];
  reports: DesiredReport[] = [];
  #listeners = new Set<() => void>();
  assignedVersion() {
    return this.version;
  }
  async applyAssigned(set: { version: number }) {
    this.version = set.version;
  }
  async takeDesired(values: readonly DesiredValue[]) {
    this.desired.push(...values);
  }
  pendingReports() {
    return this.reports;
  }
  onReport(listener: () => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  report(report: DesiredReport) {
    this.reports.push(report);
    for (const listener of this.#listeners) listener();
  }
  async reportsTaken(taken: readonly { property: string; version: number; state: string }[]) {
    this.reports = this.reports.filter(
      (r) => !taken.some((t) => t.property === r.property && t.version === r.version && t.state === r.state),
    );
  }
  calls: MethodCall[] = [];
  callReports: CallReport[] = [];
  held: PropertyHold[] = [];
  #callListeners = new Set<() => void>();
  #holdListeners = new Set<() => void>();
  async takeCalls(calls: readonly MethodCall[]) {
    this.calls.push(...calls);
  }
  pendingCallReports() {
    return this.callReports;
  }
  onCallReport(listener: () => void) {
    this.#callListeners.add(listener);
    return () => this.#callListeners.delete(listener);
  }
  endCall(report: CallReport) {
    this.callReports.push(report);
    for (const listener of this.#callListeners) listener();
  }
  async callReportsTaken(ids: readonly string[]) {
    this.callReports = this.callReports.filter(({ id }) => !ids.includes(id));
  }
  holds() {
    return this.held;
  }
  onHolds(listener: () => void) {
    this.#holdListeners.add(listener);
    return () => this.#holdListeners.delete(listener);
  }
  hold(holds: PropertyHold[]) {
    this.held = holds;
    for (const listener of this.#holdListeners) listener();
  }
}

export class MemoryCloudControl implements CloudControl {
  version = 1;
  pending: DesiredValue[] = [];
  reports: DesiredReport[] = [];
  appliedVersion = 0;
  statuses = 0;
  connected = 0;
  disconnects: string[] = [];
  alarms = new Map<string, { code: ErrorCode; key: string; message: string }>();
  refusal: AppError | null = null;
  renewals = 0;
  async authorize() {
    if (this.refusal !== null) throw this.refusal;
  }
  async wasAssigned() {
    return true;
  }
  async assigned() {
    return {
      version: this.version,
      tenant: { uid: peer.tenant, name: "acme" },
      node: { uid: peer.node, name: "gw-01", timeZone: "UTC" },
      connections: [],
      devices: [],
      rules: [],
    };
  }
  async pendingDesired() {
    return this.pending;
  }
  async desiredTaken(_: unknown, taken: readonly { property: string; version: number }[]) {
    this.pending = this.pending.filter(
      (value) => !taken.some((t) => t.property === value.property && t.version === value.version),
    );
  }
  async takeReports(_: unknown, reports: readonly DesiredReport[]) {
    this.reports.push(...reports);
  }
  holds: readonly PropertyHold[] = [];
  pendingCallList: MethodCall[] = [];
  callReports: CallReport[] = [];
  async takeHolds(_: unknown, holds: readonly PropertyHold[]) {
    this.holds = holds;
  }
  async pendingCalls() {
    return this.pendingCallList;
  }
  async callsTaken(_: unknown, ids: readonly string[]) {
    this.pendingCallList = this.pendingCallList.filter(({ id }) => !ids.includes(id));
  }
  async takeCallReports(_: unknown, reports: readonly CallReport[]) {
    this.callReports.push(...reports);
  }
  mappers: readonly ToldMapper[] = [];
  manifests = new Map<string, Uint8Array>();
  async takeMappers(_: unknown, mappers: readonly ToldMapper[]) {
    this.mappers = mappers;
    return mappers.map(({ hash }) => hash).filter((hash) => !this.manifests.has(hash));
  }
  async takeManifest(_: unknown, hash: string, text: Uint8Array) {
    this.manifests.set(hash, Uint8Array.from(text));
  }
  nodeConnected() {
    this.connected += 1;
  }
  nodeReport() {
    this.statuses += 1;
  }
  nodeDisconnected(_: unknown, reason: string) {
    this.disconnects.push(reason);
  }
  applied(_: unknown, version: number) {
    this.appliedVersion = version;
  }
  raise(_: unknown, alarm: { code: ErrorCode; key: string; message: string }) {
    this.alarms.set(`${alarm.code} ${alarm.key}`, alarm);
  }
  clear(_: unknown, alarm: { code: ErrorCode; key: string }) {
    this.alarms.delete(`${alarm.code} ${alarm.key}`);
  }
  async renew() {
    this.renewals += 1;
    return { certificatePem: "new certificate", trustBundlePem: "bundle" };
  }
}

/** What the line does to frames. Frames of a half-open line vanish and nobody is told. */
export interface LineFaults {
  duplicate: number;
  reorder: number;
  isHalfOpen: boolean;
}

/** Two ends of a line on virtual time: each frame takes 1 to 3 ms, in order unless reordered. */
export function memoryLine(options: { clock: Clock; random: Random; faults: LineFaults }): [Transport, Transport] {
  const { clock, random, faults } = options;
  const ends = [0, 1].map(() => ({
    frame: null as ((frame: Uint8Array) => void) | null,
    early: [] as Uint8Array[],
    close: null as ((reason: string) => void) | null,
    closed: null as string | null,
    lastArrival: 0,
  }));
  function deliver(to: number, frame: Uint8Array): void {
    const end = ends[to]!;
    if (end.closed !== null || faults.isHalfOpen) return;
    if (end.frame === null) end.early.push(frame);
    else end.frame(frame);
  }
  function closeEnd(at: number, reason: string): void {
    const end = ends[at]!;
    if (end.closed !== null) return;
    end.closed = reason;
    end.close?.(reason);
  }
  function transport(own: number): Transport {
    const other = 1 - own;
    return {
      bufferedBytes: 0,
      send(bytes) {
        if (ends[own]!.closed !== null) return;
        const frame = bytes.slice();
        let at = clock.monotonic() + 1000 + Math.floor(random.number() * 2000);
        if (random.number() < faults.reorder) at += 5000;
        else at = ends[other]!.lastArrival = Math.max(at, ends[other]!.lastArrival);
        const times = random.number() < faults.duplicate ? 2 : 1;
        for (let i = 0; i < times; i++) clock.after((at - clock.monotonic()) / 1000, () => deliver(other, frame));
      },
      close(reason = "closed") {
        closeEnd(own, reason);
        clock.after(10, () => {
          if (!faults.isHalfOpen) closeEnd(other, reason);
        });
      },
      onFrame(listener) {
        ends[own]!.frame = listener;
        for (const frame of ends[own]!.early.splice(0)) listener(frame);
      },
      onClose(listener) {
        const end = ends[own]!;
        if (end.closed !== null) listener(end.closed);
        else end.close = listener;
      },
    };
  }
  return [transport(0), transport(1)];
}
