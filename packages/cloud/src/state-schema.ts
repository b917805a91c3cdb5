/**
 * The relational state of the cloud, as Kysely sees it: types only, so that services can be handed a `Kysely<Database>`
 * without knowing which store stands behind it. The same tables exist in SQLite and PostgreSQL (store/state/migrations.ts).
 *
 * Conventions: uids are 32 hex digits; times are whole microseconds since 1970 UTC (Micros); `json` columns hold JSON
 * text; booleans are 0 or 1; `tenant_uid` is "" for platform kinds (Tenant, User), so that unique indexes work.
 */
import type { Generated, Kysely } from "kysely";

/** Every declared resource, live or deleted. Unique: (tenant_uid, kind, name) where deleted_at is null. */
export interface ResourcesTable {
  uid: string;
  tenant_uid: string;
  kind: string;
  name: string;
  display_name: string | null;
  labels: string;
  spec: string;
  /** counts changes of spec, from 1 */
  generation: number;
  /** from `counters` "resource_version"; the ETag */
  resource_version: number;
  created_at: number;
  updated_at: number;
  /** null while live; a name is free again once it is set, a uid never */
  deleted_at: number | null;
}
/** Login data of a User resource. */
export interface UsersTable {
  uid: string;
  tenant_uid: string;
  /** unique over the whole platform: it is what people type at the login */
  name: string;
  password_hash: string;
  /** "admin" for now */
  role: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
}
export interface SessionsTable {
  /** SHA-256 of the token, hex; the token itself is never stored */
  token_hash: string;
  user_uid: string;
  /** "cookie" or "bearer" */
  kind: string;
  created_at: number;
  expires_at: number;
}
/** Which node may speak for which device: history, never deleted. Key (tenant_uid, node_uid, device_uid). */
export interface AssignmentsTable {
  tenant_uid: string;
  node_uid: string;
  device_uid: string;
  first_at: number;
  /** null while it is assigned */
  ended_at: number | null;
}
/** Version of the assigned set per node; grows with every change. Key (tenant_uid, node_uid). */
export interface AssignedVersionsTable {
  tenant_uid: string;
  node_uid: string;
  version: number;
  /** last version that the gateway reported as on disk */
  applied: number;
}
export interface JoinTokensTable {
  /** SHA-256 of the token, hex */
  token_hash: string;
  tenant_uid: string;
  node_uid: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
}
export interface NodeCertificatesTable {
  /** SHA-256 of the certificate, hex */
  fingerprint: string;
  tenant_uid: string;
  node_uid: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo), hex: what proof of the same key is checked against */
  key_hash: string;
  serial: string;
  issued_at: number;
  expires_at: number;
  revoked_at: number | null;
}
/** When a node was last heard of; at most a minute behind. Key (tenant_uid, node_uid). */
export interface NodeSightingsTable {
  tenant_uid: string;
  node_uid: string;
  last_seen_at: number;
  agent_version: string | null;
}
/** The desired value of a property, one row per (tenant_uid, device_uid, property): the highest version wins. */
export interface DesiredTable {
  tenant_uid: string;
  device_uid: string;
  property: string;
  node_uid: string;
  version: number;
  /** ValueType */
  type: string;
  /** JSON text of the value as the API prints it */
  value: string;
  /** DesiredState */
  state: string;
  reason: string | null;
  message: string | null;
  /** JSON text of the value read back; null while there is none */
  reported_value: string | null;
  requested_by: string;
  requested_at: number;
  updated_at: number;
  expires_at: number;
  /** when the gateway had it on disk */
  taken_at: number | null;
  /** when the device had taken it, by the gateway's clock */
  written_at: number | null;
  /** when it was confirmed or failed by the gateway's clock, or when the cloud ended it */
  ended_at: number | null;
}
/** Properties that a value set at the gateway holds. Key (tenant_uid, device_uid, property). */
export interface HoldsTable {
  tenant_uid: string;
  device_uid: string;
  property: string;
  node_uid: string;
  holder: string;
  /** ValueType */
  type: string;
  /** JSON text of the value as the API prints it; null where the gateway did not tell it */
  value: string | null;
  /** by the gateway's clock */
  since: number;
  /** null = until it is released */
  until: number | null;
}
/** Calls of methods; kept for 30 days. */
export interface DeviceCallsTable {
  id: string;
  tenant_uid: string;
  device_uid: string;
  node_uid: string;
  method: string;
  /** JSON text: list of {name, type, value}, values as the API prints them */
  arguments: string;
  /** CallState */
  state: string;
  reason: string | null;
  message: string | null;
  /** ValueType; null = no result */
  result_type: string | null;
  /** JSON text as the API prints it */
  result: string | null;
  /** JSON text: list of CallStep */
  steps: string;
  requested_by: string;
  requested_at: number;
  expires_at: number;
  /** when it may first have gone to the gateway; null = it certainly has not */
  offered_at: number | null;
  /** when the gateway had it on disk */
  sent_at: number | null;
  ended_at: number | null;
}
/** Mappers that a gateway has, as it last said. Key (tenant_uid, node_uid, name). */
export interface NodeMappersTable {
  tenant_uid: string;
  node_uid: string;
  name: string;
  version: string;
  /** SHA-256 of its manifest, hex */
  hash: string;
}
/** When a gateway told its mappers; a gateway without a row never did. Key (tenant_uid, node_uid). */
export interface NodeMapperSetsTable {
  tenant_uid: string;
  node_uid: string;
  told_at: number;
  /** SHA-256 of the manifests by which its devices were last checked as a whole, hex; null = by the cloud's own */
  checked: string | null;
}
/** Manifests that gateways gave. Key (tenant_uid, hash). */
export interface MapperManifestsTable {
  tenant_uid: string;
  hash: string;
  /** `mapper.json` as it is, also one that cannot be used */
  text: string;
  taken_at: number;
}
/** Connections and devices that do not fit the mappers their gateway has now. Key (tenant_uid, uid). */
export interface MapperFindingsTable {
  tenant_uid: string;
  uid: string;
  node_uid: string;
  kind: string;
  name: string;
  /** JSON text: list of FieldError */
  fields: string;
  found_at: number;
}
/** Raised once per (tenant_uid, node_uid, code, key) until cleared. node_uid is "" where no node is meant. */
export interface AlarmsTable {
  id: Generated<number>;
  tenant_uid: string;
  node_uid: string;
  code: string;
  key: string;
  severity: string;
  message: string;
  raised_at: number;
  last_at: number;
  count: number;
  cleared_at: number | null;
  /** of ingest/gap: JSON of what is known to be lost, `{total, ranges}` */
  lost: string | null;
  /** AlarmState */
  state: string;
  /** of an alarm that a rule raised at a gateway; null of those that the system raises itself, as are the next ones */
  rule_uid: string | null;
  rule_name: string | null;
  alarm: string | null;
  device_uid: string | null;
  /** of the gateway's alarm journal, and the number in it of the transition that raised it first, and of the last one */
  epoch: string | null;
  occurrence: number | null;
  transition: number | null;
  escalated: number | null;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  comment: string | null;
  /** null: it is not shelved; `shelved_until` null then: until it has returned to normal once */
  shelved_at: number | null;
  shelved_until: number | null;
  shelved_by: string | null;
}
/** What happened to alarms. Unique: (tenant_uid, node_uid, epoch, number) where a gateway told it. */
export interface AlarmTransitionsTable {
  id: Generated<number>;
  tenant_uid: string;
  node_uid: string;
  alarm_id: number;
  /** null: of the system's own alarms, which the cloud numbers by `id` */
  epoch: string | null;
  number: number | null;
  /** AlarmTransitionKind */
  kind: string;
  /** by the gateway's clock, or the cloud's where no gateway told it */
  time: number;
  state: string;
  severity: string;
  message: string;
  count: number;
  who: string | null;
  comment: string | null;
}
/** What people do about alarms of rules; pending until the gateway has answered. */
export interface AlarmActsTable {
  id: string;
  tenant_uid: string;
  node_uid: string;
  alarm_id: number;
  /** AlarmActKind */
  kind: string;
  comment: string | null;
  until: number | null;
  /** pending, done or refused */
  state: string;
  reason: string | null;
  requested_by: string;
  requested_at: number;
  ended_at: number | null;
}
/** Messages about alarms that somebody has yet to get. */
export interface AlarmNoticesTable {
  id: Generated<number>;
  tenant_uid: string;
  /** JSON text: where the target stands in its rule, never a secret */
  target: string;
  /** JSON text */
  body: string;
  attempts: number;
  due_at: number;
  created_at: number;
}
/** Answers remembered for 24 h. Key (scope, key). */
export interface IdempotencyKeysTable {
  /** tenant uid and user uid */
  scope: string;
  key: string;
  /** SHA-256 of method, path and body, hex */
  request_hash: string;
  status: number;
  /** JSON text */
  body: string;
  created_at: number;
}
export interface AuditTable {
  id: Generated<number>;
  tenant_uid: string;
  at: number;
  /** user uid, node uid or "system" */
  actor: string;
  action: string;
  kind: string;
  name: string;
  uid: string;
  /** JSON text: what changed; never a secret */
  detail: string;
}
/** Numbers that only grow ("resource_version", "desired_version" …); a missing row is 0. */
export interface CountersTable {
  name: string;
  value: number;
}
/** Small platform facts, such as the marker that the first administrator was made. JSON text. */
export interface SettingsTable {
  name: string;
  value: string;
}

/** A model's new version on its way to its devices, wave by wave; the last one of each model. Key (tenant_uid, model_uid). */
export interface ModelRolloutsTable {
  tenant_uid: string;
  model_uid: string;
  /** starting, running, paused, stopped, cancelling, done or cancelled */
  state: string;
  /** JSON text of the model's spec that devices keep until their wave comes */
  previous: string;
  /** JSON text: uids of devices, wave by wave */
  waves: string;
  /** waves that have the new version */
  reached: number;
  pause_ms: number;
  /** when the next step is taken; null while nothing is planned */
  due_at: number | null;
  /** JSON text: uids of the last wave's devices that were not well before it */
  unwell: string;
  message: string | null;
  started_by: string;
  started_at: number;
  updated_at: number;
}

/** Each stored state of each resource of a tenant, the present one included. Key (uid, version). */
export interface ResourceVersionsTable {
  tenant_uid: string;
  uid: string;
  /** counts stored changes of the resource, from 1 */
  version: number;
  kind: string;
  name: string;
  /** create, update or delete; a delete has the document that was there before it */
  action: string;
  generation: number;
  resource_version: number;
  display_name: string | null;
  labels: string;
  spec: string;
  /** number of the change set; 0 for what was there before history was kept */
  change_set: number;
  /** name of a user, or "system" */
  actor: string;
  at: number;
}
/** What was changed at once. Key (tenant_uid, number). */
export interface ChangeSetsTable {
  tenant_uid: string;
  /** from 1 in each tenant */
  number: number;
  /** edit, copy, import, restore or undo */
  reason: string;
  note: string | null;
  actor: string;
  at: number;
  /** resources that it changed */
  resources: number;
  /** number of the change set that this one reversed */
  undoes: number | null;
}

export interface Database {
  resources: ResourcesTable;
  users: UsersTable;
  sessions: SessionsTable;
  assignments: AssignmentsTable;
  assigned_versions: AssignedVersionsTable;
  join_tokens: JoinTokensTable;
  node_certificates: NodeCertificatesTable;
  node_sightings: NodeSightingsTable;
  desired: DesiredTable;
  holds: HoldsTable;
  device_calls: DeviceCallsTable;
  node_mappers: NodeMappersTable;
  node_mapper_sets: NodeMapperSetsTable;
  mapper_manifests: MapperManifestsTable;
  mapper_findings: MapperFindingsTable;
  alarms: AlarmsTable;
  alarm_transitions: AlarmTransitionsTable;
  alarm_acts: AlarmActsTable;
  alarm_notices: AlarmNoticesTable;
  idempotency_keys: IdempotencyKeysTable;
  audit: AuditTable;
  counters: CountersTable;
  model_rollouts: ModelRolloutsTable;
  resource_versions: ResourceVersionsTable;
  change_sets: ChangeSetsTable;
  settings: SettingsTable;
}

/**
 * The state store as its users hold it. Reads outside a transaction see the last commit; `db.transaction().execute(...)`
 * runs alone among writers (one at a time, in the order they asked) and is durable when it resolves. Do not wait for
 * another write of the same store inside a transaction: it would wait for itself.
 */
export interface StateStore {
  readonly db: Kysely<Database>;
  close(): Promise<void>;
}
