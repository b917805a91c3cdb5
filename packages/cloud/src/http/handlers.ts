import { type Contract, openApi } from "@penstock/api";
import { AppError, type Kind } from "@penstock/model";
import type { Log, Metrics } from "@penstock/runtime";
import type { Call, Handlers } from "./call.ts";
import type { HttpServices, KindName, KindVerbs } from "./http-services.ts";

const file = "cloud/src/http/handlers.ts";

/** What each route does: it calls one service. Nothing is decided here but the status among good ones. */
export function createHandlers(options: {
  readonly services: HttpServices;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly version: string;
}): Handlers {
  const { services, log, metrics, version } = options;
  const description = openApi({ version });
  return {
    session: {
      async login({ body, remote }) {
        const isCookie = body.cookie === true;
        const kind = isCookie ? "cookie" : "bearer";
        const { token, ...who } = await services.auth.login({ user: body.user, password: body.password, kind, remote });
        if (!isCookie) return { body: { ...who, token } };
        return { body: { ...who, token: null }, cookie: { token } };
      },
      async logout({ token, session }) {
        if (token !== null) await services.auth.logout(token);
        return session?.kind === "cookie" ? { body: undefined, cookie: { token: null } } : { body: undefined };
      },
      async get({ caller, session }) {
        return { body: { user: caller.name, role: caller.role, expiresAt: session?.expiresAt ?? "" } };
      },
    },
    tenants: verbs("tenants", services.tenants),
    users: verbs("users", services.users),
    nodes: { ...verbs("nodes", services.nodes), ...history("Node", services.history) },
    connections: { ...verbs("connections", services.connections), ...history("Connection", services.history) },
    deviceModels: { ...verbs("deviceModels", services.deviceModels), ...history("DeviceModel", services.history) },
    devices: { ...verbs("devices", services.devices), ...history("Device", services.history) },
    rules: { ...verbs("rules", services.rules), ...history("Rule", services.history) },
    ruleTrials: {
      run: async ({ caller, params, body }) => ({ body: await services.ruleTrials.run(caller, params.tenant, body) }),
    },
    ruleWhys: {
      get: async ({ caller, params }) => ({ body: await services.ruleWhys.get(caller, params) }),
    },
    copies: {
      create: async ({ caller, params, body }) => ({ body: await services.copies.create(caller, params, body) }),
    },
    changes: {
      list: async ({ caller, params, query }) => ({ body: await services.changes.list(caller, params.tenant, query) }),
      preview: async ({ caller, params, body }) => ({
        body: await services.changes.preview(caller, params.tenant, body.documents),
      }),
      apply: async ({ caller, params, body }) => ({
        body: await services.changes.apply(caller, params.tenant, body.documents),
      }),
      get: async ({ caller, params }) => ({ body: await services.changes.get(caller, changeOf(params)) }),
      undo: async ({ caller, params, query }) => ({
        body: await services.changes.undo(caller, changeOf(params), query),
      }),
    },
    modelling: {
      effective: async ({ caller, params }) => ({ body: await services.modelling.effective(caller, params) }),
      extractModel: async ({ caller, params, body }) => ({
        body: await services.modelling.extractModel(caller, params, body),
      }),
      preview: async ({ caller, params, body }) => ({ body: await services.modelling.preview(caller, params, body) }),
      getRollout: async ({ caller, params }) => ({ body: await services.modelling.getRollout(caller, params) }),
      async beginRollout({ caller, params, body, ifMatch }) {
        // The route's safety has made sure of it before the handler runs.
        const request = { ...body, ifMatch: ifMatch! };
        return { body: await services.modelling.beginRollout(caller, params, request) };
      },
      actRollout: async ({ caller, params }) => ({
        body: await services.modelling.actRollout(caller, params, params.action),
      }),
    },
    tables: {
      exportDevices: async ({ caller, params, query }) => ({
        body: await services.tables.exportDevices(caller, params.tenant, { ...query, format: query.format ?? "xlsx" }),
      }),
      async importDevices({ caller, params, query, body }) {
        const { mode = "merge", removeAbsent = false, dryRun = false } = query;
        const request = { mode, removeAbsent, dryRun, input: body };
        return { body: await services.tables.importDevices(caller, params.tenant, request) };
      },
    },
    kubeedge: {
      importDocuments: async ({ caller, params, body }) => ({
        body: await services.kubeedge.importDocuments(caller, params.tenant, body),
      }),
      exportDevice: async ({ caller, params }) => ({ body: await services.kubeedge.exportDevice(caller, params) }),
    },
    mappers: {
      list: async () => ({ body: { items: services.mappers.own.map((manifest) => ({ ...manifest })) } }),
      ofTenant: async ({ caller, params, query }) => ({
        body: { items: await services.mappers.list(caller, params.tenant, query) },
      }),
    },
    twins: {
      get: async ({ caller, params }) => ({ body: await services.twins.get(caller, params) }),
      getDesired: async ({ caller, params }) => ({ body: await services.desired.get(caller, params) }),
      async setDesired({ caller, params, query, body, idempotencyKey, signal }) {
        const { value, ttl } = body;
        let traced: string | null = null;
        const onTraceId = (id: string) => {
          traced = id;
          log.trace({ file, id }, "Desired value came");
        };
        const request = { value, ttl, wait: query.wait, idempotencyKey, signal, ...(log.tracing && { onTraceId }) };
        const { view, isSettled } = await services.desired.set(caller, params, request);
        if (traced !== null) log.trace({ file, id: traced, state: view.state }, "Outcome is answered");
        return { body: view, status: isSettled ? 200 : 202 };
      },
    },
    asyncapi: {
      node: async ({ caller, params }) => ({ body: await services.asyncapi.node(caller, params) }),
    },
    browse: {
      connection: async ({ caller, params, query }) => ({
        body: await services.browse.connection(caller, params, query.path ?? []),
      }),
    },
    methods: {
      async call({ caller, params, query, body, idempotencyKey, signal }) {
        const request = { ...body, wait: query.wait, idempotencyKey, signal };
        const { view, isSettled } = await services.calls.call(caller, params, request);
        return { body: view, status: isSettled ? 200 : 202 };
      },
      get: async ({ caller, params }) => ({ body: await services.calls.get(caller, params) }),
      calls: async ({ caller, params, query }) => ({ body: await services.calls.list(caller, params, query) }),
    },
    series: {
      query: async ({ caller, params, query }) => ({ body: await services.series.query(caller, params, query) }),
    },
    live: {
      async stream({ caller, params, query, signal }) {
        const filter = { devices: query.device ?? [], properties: query.property ?? [] };
        return { body: await services.live.subscribe(caller, params.tenant, filter, signal) };
      },
    },
    alarms: {
      list: async ({ caller, params, query }) => ({ body: await services.alarms.list(caller, params.tenant, query) }),
      get: async ({ caller, params }) => ({ body: await services.alarms.get(caller, params) }),
      history: async ({ caller, params, query }) => ({ body: await services.alarms.history(caller, params, query) }),
      async act({ caller, params, query, body, idempotencyKey, signal }) {
        const request = { ...body, wait: query.wait, idempotencyKey, signal };
        const { view, isSettled } = await services.alarmActs.act(caller, params, request);
        return { body: view, status: isSettled ? 200 : 202 };
      },
    },
    joinTokens: {
      list: async ({ caller, params }) => ({ body: await services.joinTokens.list(caller, params.tenant) }),
      create: async ({ caller, params, body, idempotencyKey }) => ({
        body: await services.joinTokens.create(caller, params.tenant, { ...body, idempotencyKey }),
      }),
      async remove({ caller, params }) {
        await services.joinTokens.remove(caller, params.tenant, params.id);
        return { body: undefined };
      },
    },
    join: {
      join: async ({ body, remote }) => ({ body: await services.joinTokens.join({ ...body, remote }) }),
    },
    system: {
      health: async () => ({ body: { status: "ok", failing: [] } }),
      async ready() {
        const failing = await services.failing();
        if (failing.length === 0) return { body: { status: "ok", failing } };
        return { body: { status: "failing", failing }, status: 503 };
      },
      metrics: async () => ({ body: metrics.expose() }),
      openapi: async () => ({ body: description }),
    },
  };
}

/** The five verbs of a kind; platform kinds have no tenant in their address. */
function verbs<K extends KindName>(_kind: K, service: KindVerbs<K>): Handlers[K] {
  const refOf = (call: Call) => {
    const { tenant, name } = call.params as { tenant?: string; name: string };
    return { tenant: tenant ?? "", name };
  };
  const five = {
    list: async (call: Call) => ({ body: await service.list(call.caller, refOf(call).tenant, call.query) }),
    get: async (call: Call) => ({ body: await service.get(call.caller, refOf(call)) }),
    async put(call: Call) {
      if (call.isCreate)
        return { body: await service.create(call.caller, refOf(call), call.body, call.query), status: 201 as const };
      const change = { replace: call.body, ifMatch: mustMatch(call), ...call.query };
      return { body: await service.update(call.caller, refOf(call), change) };
    },
    patch: async (call: Call) => ({
      body: await service.update(call.caller, refOf(call), {
        ...{ patch: call.body, ifMatch: mustMatch(call), ...call.query },
      }),
    }),
    async remove(call: Call) {
      await service.remove(call.caller, refOf(call), mustMatch(call));
      return { body: undefined };
    },
  };
  // Each kind's handlers differ only in the types of what its own service takes and gives.
  return five as unknown as Handlers[K];
}

/** The route's safety has made sure of it before the handler runs. */
function mustMatch({ ifMatch }: Pick<Call, "ifMatch">): string {
  if (ifMatch === null) throw new AppError("request/precondition-required", "A change needs If-Match");
  return ifMatch;
}

function changeOf(params: { readonly tenant: string; readonly change: string }) {
  return { tenant: params.tenant, change: Number(params.change) };
}

/** What was, alike for every kind of a tenant. */
function history(kind: Kind, service: HttpServices["history"]) {
  type Routes = Contract["devices"]["routes"];
  type At = { readonly params: { readonly tenant: string; readonly name: string }; readonly query: object };
  const refOf = ({ params, query }: At) => {
    const { uid } = query as { uid?: string };
    return { kind, tenant: params.tenant, name: params.name, uid };
  };
  return {
    versions: async (call: Call<Routes["versions"]>) => ({
      body: await service.versions(call.caller, refOf(call), call.query),
    }),
    version: async (call: Call<Routes["version"]>) => ({
      body: await service.version(call.caller, refOf(call), Number(call.params.version)),
    }),
    diff: async (call: Call<Routes["diff"]>) => ({ body: await service.diff(call.caller, refOf(call), call.query) }),
    async restore(call: Call<Routes["restore"]>) {
      const request = { version: Number(call.params.version), ifMatch: mustMatch(call), dryRun: call.query.dryRun };
      // The resource is of the kind that the route belongs to.
      return { body: (await service.restore(call.caller, refOf(call), request)) as never };
    },
    deleted: async (call: Call<Routes["deleted"]>) => ({
      body: await service.deleted(call.caller, { kind, tenant: call.params.tenant }, call.query),
    }),
  };
}
