import { join } from "node:path";
import type { BootId, EdgeControl, OutboxReader, ReadingBatch } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { dialTls } from "../../packages/edge/src/link/dial-tls.ts";
import { createLink, type Link } from "../../packages/edge/src/link/link.ts";
import { openOutbox } from "../../packages/edge/src/outbox/outbox.ts";
import type { SegmentOutbox } from "../../packages/edge/src/outbox/outbox-options.ts";
import { hexOf } from "../bench-store.ts";
import type { NodeCredentials } from "./cloud-process.ts";

const clock = systemClock();
const noControl: EdgeControl = {
  assignedVersion: () => 1,
  applyAssigned: async () => {},
  takeDesired: async () => {},
  pendingReports: () => [],
  onReport: () => () => {},
  reportsTaken: async () => {},
  takeCalls: async () => {},
  pendingCallReports: () => [],
  onCallReport: () => () => {},
  callReportsTaken: async () => {},
  holds: () => [],
  onHolds: () => () => {},
};

/** Outbox and link of one gateway as they ship; batches are handed in where collect would hand them. */
export class BenchGateway {
  readonly #credentials: NodeCredentials;
  readonly #outbox: SegmentOutbox;
  #link: Link | null = null;
  #appended = 0;
  /** readings behind entries that the cloud has not committed */
  #behind = 0;
  #waiting: (() => void)[] = [];

  private constructor(credentials: NodeCredentials, outbox: SegmentOutbox) {
    this.#credentials = credentials;
    this.#outbox = outbox;
  }

  static async open(options: { folder: string; credentials: NodeCredentials }): Promise<BenchGateway> {
    const outbox = await openOutbox({
      ...{ files: realFiles(), clock, random: systemRandom, log: silentLog, metrics: metricsRegistry() },
      folder: join(options.folder, options.credentials.node),
      bounds: { bytes: 4 * 1024 ** 3, ageMs: 86_400_000 * 30 },
      policy: "refuse",
    });
    return new BenchGateway(options.credentials, outbox);
  }

  /** readings whose append has resolved */
  get appended(): number {
    return this.#appended;
  }

  /** durable when it resolves */
  async append(batches: readonly ReadingBatch[]): Promise<void> {
    await Promise.all(batches.map((batch) => this.#outbox.append(batch)));
    for (const { count } of batches) {
      this.#appended += count;
      this.#behind += count;
    }
  }

  /** resolves when the cloud is at most so many readings behind */
  async within(readings: number): Promise<void> {
    while (this.#behind > readings) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** resolves when the cloud has welcomed us */
  connect(port: number): Promise<void> {
    const { keyPem, certificatePem, trustBundlePem, node } = this.#credentials;
    return new Promise((resolve) => {
      this.#link = createLink({
        ...{ outbox: this.#counted(), control: noControl, clock, random: systemRandom },
        ...{ log: silentLog, metrics: metricsRegistry(), agentVersion: "bench", boot: hexOf<BootId>(`boot ${node}`) },
        mappers: { list: () => [], manifest: () => null, onChange: () => () => {} },
        browse: async () => [],
        report: () => ({
          agentVersion: "bench",
          mappers: [],
          devices: [],
          cycles: [],
          lines: [],
          outbox: this.#outbox.stats(),
          counters: {},
        }),
        dial: dialTls({
          ...{ host: "127.0.0.1", port, clock },
          credentials: () => ({ keyPem, certificatePem, trustBundlePem }),
        }),
        timeTrusted: () => true,
        onTime: () => resolve(),
        certificate: () => null,
        onCertificate: async () => {},
      });
    });
  }

  async close(): Promise<void> {
    await this.#link?.close();
    await this.#outbox.close();
  }

  /** The outbox, with the readings that leave it counted. Ranges come once each here: no session is cut. */
  #counted(): OutboxReader {
    const outbox = this.#outbox;
    return {
      bounds: () => outbox.bounds(),
      stats: () => outbox.stats(),
      read: (from, maxBytes) => outbox.read(from, maxBytes),
      onDurable: (listener) => outbox.onDurable(listener),
      agree: () => outbox.agree(),
      newEpoch: (held) => outbox.newEpoch(held),
      acknowledge: (ranges) => {
        outbox.acknowledge(ranges);
        for (const [from, to] of ranges) this.#behind -= to - from + 1;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const resolve of waiting) resolve();
      },
    };
  }
}
