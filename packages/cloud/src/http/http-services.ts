import type { BodyOf, Contract, listQuery, QueryOf, ResponseOf } from "@penstock/api";
import type { Caller, Kind, MapperManifest } from "@penstock/model";
import type { Static } from "typebox";
import type { FileAnswer } from "./call.ts";

/** What HTTP needs of services; main.ts hands them in. Answers have the shapes of the contract. */
interface Ref {
  readonly tenant: string;
  readonly name: string;
}
interface PropertyRef {
  readonly tenant: string;
  readonly device: string;
  readonly property: string;
}
interface MethodRef {
  readonly tenant: string;
  readonly device: string;
  readonly method: string;
}
interface AlarmRef {
  readonly tenant: string;
  readonly id: string;
}
type Alarms = Contract["alarms"]["routes"];
type Methods = Contract["methods"]["routes"];
type Kinds = Pick<Contract, "tenants" | "users" | "nodes" | "connections" | "deviceModels" | "devices" | "rules">;
export type KindName = keyof Kinds;

export interface KindVerbs<K extends KindName> {
  get(caller: Caller, ref: Ref): Promise<ResponseOf<Kinds[K]["routes"]["get"]>>;
  list(
    caller: Caller,
    tenant: string,
    query: Static<typeof listQuery>,
  ): Promise<ResponseOf<Kinds[K]["routes"]["list"]>>;
  create(
    caller: Caller,
    ref: Ref,
    input: unknown,
    options: { readonly dryRun?: boolean | undefined },
  ): Promise<ResponseOf<Kinds[K]["routes"]["put"]>>;
  update(
    caller: Caller,
    ref: Ref,
    change: ({ replace: unknown } | { patch: unknown }) & { ifMatch: string; dryRun?: boolean | undefined },
  ): Promise<ResponseOf<Kinds[K]["routes"]["put"]>>;
  remove(caller: Caller, ref: Ref, ifMatch: string): Promise<void>;
}
type Versioned = Contract["devices"]["routes"];
/** what every kind of a tenant answers alike */
interface HistoryRef extends Ref {
  readonly kind: Kind;
  readonly uid?: string | undefined;
}
type Copies = Contract["copies"]["routes"];
type Tables = Contract["tables"]["routes"];
type KubeEdge = Contract["kubeedge"]["routes"];
type Changes = Contract["changes"]["routes"];
interface ChangeRef {
  readonly tenant: string;
  readonly change: number;
}
type Twins = Contract["twins"]["routes"];
type Modelling = Contract["modelling"]["routes"];
type JoinTokens = Contract["joinTokens"]["routes"];
export interface Session {
  readonly caller: Caller;
  readonly kind: "cookie" | "bearer";
  readonly expiresAt: string;
}
interface LiveEvent {
  readonly event: string;
  readonly data: unknown;
  /** ids of what it carries, while values are followed through the log */
  readonly trace?: readonly string[];
}

export type HttpServices = { readonly [K in KindName]: KindVerbs<K> } & {
  readonly auth: {
    login(request: {
      readonly user: string;
      readonly password: string;
      readonly kind: "cookie" | "bearer";
      readonly remote: string;
    }): Promise<{ token: string; user: string; role: string; expiresAt: string }>;
    authenticate(token: string): Promise<Session>;
    logout(token: string): Promise<void>;
  };
  readonly ruleTrials: {
    run(
      caller: Caller,
      tenant: string,
      body: BodyOf<Contract["ruleTrials"]["routes"]["run"]>,
    ): Promise<ResponseOf<Contract["ruleTrials"]["routes"]["run"]>>;
  };
  readonly ruleWhys: {
    get(
      caller: Caller,
      ref: { readonly tenant: string; readonly name: string },
    ): Promise<ResponseOf<Contract["ruleWhys"]["routes"]["get"]>>;
  };
  readonly history: {
    versions(
      caller: Caller,
      ref: HistoryRef,
      query: QueryOf<Versioned["versions"]>,
    ): Promise<ResponseOf<Versioned["versions"]>>;
    version(caller: Caller, ref: HistoryRef, version: number): Promise<ResponseOf<Versioned["version"]>>;
    diff(caller: Caller, ref: HistoryRef, of: QueryOf<Versioned["diff"]>): Promise<ResponseOf<Versioned["diff"]>>;
    restore(
      caller: Caller,
      ref: HistoryRef,
      request: { readonly version: number; readonly ifMatch: string; readonly dryRun?: boolean | undefined },
    ): Promise<unknown>;
    deleted(
      caller: Caller,
      of: { readonly tenant: string; readonly kind: Kind },
      query: QueryOf<Versioned["deleted"]>,
    ): Promise<ResponseOf<Versioned["deleted"]>>;
  };
  readonly changes: {
    list(caller: Caller, tenant: string, query: QueryOf<Changes["list"]>): Promise<ResponseOf<Changes["list"]>>;
    preview(
      caller: Caller,
      tenant: string,
      documents: BodyOf<Changes["preview"]>["documents"],
    ): Promise<ResponseOf<Changes["preview"]>>;
    apply(
      caller: Caller,
      tenant: string,
      documents: BodyOf<Changes["apply"]>["documents"],
    ): Promise<ResponseOf<Changes["apply"]>>;
    get(caller: Caller, ref: ChangeRef): Promise<ResponseOf<Changes["get"]>>;
    undo(caller: Caller, ref: ChangeRef, request: QueryOf<Changes["undo"]>): Promise<ResponseOf<Changes["undo"]>>;
  };
  readonly copies: {
    create(
      caller: Caller,
      ref: Omit<PropertyRef, "property">,
      request: BodyOf<Copies["create"]>,
    ): Promise<ResponseOf<Copies["create"]>>;
  };
  readonly modelling: {
    effective(caller: Caller, ref: Omit<PropertyRef, "property">): Promise<ResponseOf<Modelling["effective"]>>;
    extractModel(
      caller: Caller,
      ref: Omit<PropertyRef, "property">,
      request: BodyOf<Modelling["extractModel"]>,
    ): Promise<ResponseOf<Modelling["extractModel"]>>;
    preview(caller: Caller, ref: Ref, input: unknown): Promise<ResponseOf<Modelling["preview"]>>;
    getRollout(caller: Caller, ref: Ref): Promise<ResponseOf<Modelling["getRollout"]>>;
    beginRollout(
      caller: Caller,
      ref: Ref,
      request: BodyOf<Modelling["beginRollout"]> & { readonly ifMatch: string },
    ): Promise<ResponseOf<Modelling["beginRollout"]>>;
    actRollout(
      caller: Caller,
      ref: Ref,
      action: "pause" | "resume" | "cancel",
    ): Promise<ResponseOf<Modelling["actRollout"]>>;
  };
  readonly tables: {
    exportDevices(
      caller: Caller,
      tenant: string,
      request: QueryOf<Tables["exportDevices"]> & { readonly format: "csv" | "xlsx" },
    ): Promise<FileAnswer>;
    importDevices(
      caller: Caller,
      tenant: string,
      request: {
        readonly mode: "merge" | "replace";
        readonly removeAbsent: boolean;
        readonly dryRun: boolean;
        readonly input: BodyOf<Tables["importDevices"]>;
      },
    ): Promise<ResponseOf<Tables["importDevices"]>>;
  };
  readonly kubeedge: {
    importDocuments(
      caller: Caller,
      tenant: string,
      request: BodyOf<KubeEdge["importDocuments"]>,
    ): Promise<ResponseOf<KubeEdge["importDocuments"]>>;
    exportDevice(caller: Caller, ref: Omit<PropertyRef, "property">): Promise<ResponseOf<KubeEdge["exportDevice"]>>;
  };
  readonly mappers: {
    /** of those that the cloud was started with */
    readonly own: readonly MapperManifest[];
    list(
      caller: Caller,
      tenant: string,
      query: QueryOf<Contract["mappers"]["routes"]["ofTenant"]>,
    ): Promise<ResponseOf<Contract["mappers"]["routes"]["ofTenant"]>["items"]>;
  };
  readonly twins: {
    get(caller: Caller, ref: Omit<PropertyRef, "property">): Promise<ResponseOf<Twins["get"]>>;
  };
  readonly desired: {
    get(caller: Caller, ref: PropertyRef): Promise<ResponseOf<Twins["getDesired"]>>;
    set(
      caller: Caller,
      ref: PropertyRef,
      request: {
        readonly value: unknown;
        readonly ttl?: string | undefined;
        readonly wait?: string | undefined;
        readonly idempotencyKey?: string | undefined;
        readonly signal?: AbortSignal | undefined;
        /** told the id that trace lines carry, as soon as the value has one */
        readonly onTraceId?: ((id: string) => void) | undefined;
      },
    ): Promise<{ view: ResponseOf<Twins["setDesired"]>; isSettled: boolean }>;
  };
  readonly asyncapi: {
    node(
      caller: Caller,
      ref: { readonly tenant: string; readonly node: string },
    ): Promise<ResponseOf<Contract["asyncapi"]["routes"]["node"]>>;
  };
  readonly browse: {
    connection(
      caller: Caller,
      ref: { readonly tenant: string; readonly connection: string },
      path: readonly string[],
    ): Promise<ResponseOf<Contract["browse"]["routes"]["connection"]>>;
  };
  readonly calls: {
    call(
      caller: Caller,
      ref: MethodRef,
      request: BodyOf<Methods["call"]> & {
        readonly wait?: string | undefined;
        readonly idempotencyKey?: string | undefined;
        readonly signal?: AbortSignal | undefined;
      },
    ): Promise<{ view: ResponseOf<Methods["call"]>; isSettled: boolean }>;
    get(caller: Caller, ref: MethodRef & { readonly id: string }): Promise<ResponseOf<Methods["get"]>>;
    list(caller: Caller, ref: MethodRef, query: QueryOf<Methods["calls"]>): Promise<ResponseOf<Methods["calls"]>>;
  };
  readonly series: {
    query(
      caller: Caller,
      ref: PropertyRef,
      request: QueryOf<Contract["series"]["routes"]["query"]>,
    ): Promise<ResponseOf<Contract["series"]["routes"]["query"]>>;
  };
  readonly live: {
    subscribe(
      caller: Caller,
      tenant: string,
      filter: { readonly devices: readonly string[]; readonly properties: readonly string[] },
      signal: AbortSignal,
    ): Promise<AsyncIterable<LiveEvent>>;
  };
  readonly alarms: {
    list(caller: Caller, tenant: string, query: QueryOf<Alarms["list"]>): Promise<ResponseOf<Alarms["list"]>>;
    get(caller: Caller, ref: AlarmRef): Promise<ResponseOf<Alarms["get"]>>;
    history(caller: Caller, ref: AlarmRef, query: QueryOf<Alarms["history"]>): Promise<ResponseOf<Alarms["history"]>>;
  };
  readonly alarmActs: {
    act(
      caller: Caller,
      ref: AlarmRef,
      request: BodyOf<Alarms["act"]> & {
        readonly wait?: string | undefined;
        readonly idempotencyKey?: string | undefined;
        readonly signal?: AbortSignal | undefined;
      },
    ): Promise<{ view: ResponseOf<Alarms["act"]>; isSettled: boolean }>;
  };
  readonly joinTokens: {
    list(caller: Caller, tenant: string): Promise<ResponseOf<JoinTokens["list"]>>;
    create(
      caller: Caller,
      tenant: string,
      request: BodyOf<JoinTokens["create"]> & { readonly idempotencyKey?: string | undefined },
    ): Promise<ResponseOf<JoinTokens["create"]>>;
    remove(caller: Caller, tenant: string, id: string): Promise<void>;
    join(
      request: BodyOf<Contract["join"]["routes"]["join"]> & { readonly remote: string },
    ): Promise<ResponseOf<Contract["join"]["routes"]["join"]>>;
  };
  /** names of what cannot answer; [] when requests can be served */
  failing(): Promise<string[]>;
};
