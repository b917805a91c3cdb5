import type { Caller, MapperManifest, Micros, NodeNudger, NodeUid, SeriesStore, TenantUid } from "@penstock/model";
import type { Clock, Log, Metrics, Random, SecretBox } from "@penstock/runtime";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../state-schema.ts";
import type { Notifier } from "./alarm-notices.ts";
import type { Mappers } from "./mappers.ts";
import type { SpecSecrets } from "./spec-secrets.ts";

/** What every service is handed. Nothing here is made by services themselves, so that a simulator can stand in for all. */
export interface ServiceContext {
  readonly db: Kysely<Database>;
  readonly series: SeriesStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly nudger: NodeNudger;
  readonly authority: Authority;
  /** for messages about alarms */
  readonly notifier: Notifier;
  /** for secrets of devices; only `SpecSecrets` uses it */
  readonly box: SecretBox;
  /** of the mappers that the cloud was started with */
  readonly manifests: readonly MapperManifest[];
}
/** With what resources are stored: by which manifests they are checked, and how their secrets are kept. */
export interface CheckingContext extends ServiceContext {
  readonly mappers: Mappers;
  readonly secrets: SpecSecrets;
}
export type { Caller };
export type Trx = Transaction<Database>;
/** For reads that may stand in a transaction or not. */
export type Reader = Kysely<Database>;

/** What services need of the certificate authority. */
export interface Authority {
  issueNode(request: {
    readonly tenant: TenantUid;
    readonly node: NodeUid;
    readonly publicKeyDer: Uint8Array;
  }): Promise<IssuedCertificate>;
  /** SHA-256 of the CA certificate, which a join token pins */
  readonly caHash: string;
}
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** SHA-256 of the certificate, lower-case hex */
  readonly fingerprint: string;
  readonly expiresAt: Micros;
  readonly trustBundlePem: string;
}

/** For what the server does of its own accord. */
export const system: Caller = { uid: "system", name: "system", role: "administrator", tenants: "all" };

/** A resource as the address names it; tenant is "" for platform kinds. */
export interface Ref {
  readonly tenant: string;
  readonly name: string;
}
export interface ListQuery {
  readonly limit?: number;
  readonly cursor?: string;
  readonly labels?: string;
}
export interface Page<T> {
  items: T[];
  cursor: string | null;
}
