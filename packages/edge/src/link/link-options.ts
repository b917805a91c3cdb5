import type {
  BootId,
  BrowsedNode,
  ConnectionUid,
  EdgeAlarms,
  EdgeControl,
  NodeReport,
  OutboxReader,
  OwnMappers,
} from "@penstock/model";
import type { Clock, Log, Metrics, Random } from "@penstock/runtime";
import type { Certificate, Transport } from "@penstock/wire";
import type { CertificateLife } from "./renewal.ts";

/** What main.ts hands the link. */
export interface LinkOptions {
  readonly outbox: OutboxReader;
  readonly control: EdgeControl;
  readonly mappers: OwnMappers;
  /** alarms of rules; left out where none run */
  readonly alarms?: EdgeAlarms;
  /** what the other end of a connection has below a path. @throws AppError resource/not-found, mapper/… */
  browse(connection: ConnectionUid, path: readonly string[]): Promise<readonly BrowsedNode[]>;
  /** what the node says of itself; called about once a second while connected */
  report(): NodeReport;
  /** opens one connection; rejects with link/… when it cannot, and when the signal aborts */
  dial(signal: AbortSignal): Promise<Transport>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly boot: BootId;
  readonly agentVersion: string;
  /** whether the wall clock is believed; once the cloud's time is known it should say yes */
  timeTrusted(): boolean;
  /** at every welcome: the offset fixed for this boot, wall − monotonic microseconds, by which earlier readings are corrected */
  onTime(time: { readonly offset: number }): void;
  /** null when there is none to renew, as on a plain local link */
  certificate(): CertificateLife | null;
  /** resolves when the new certificate is on disk; the next dial uses it */
  onCertificate(certificate: Certificate): Promise<void>;
}
