import { AppError, type EffectiveRule, hiddenSecret, isObject, isSecretName } from "@penstock/model";
import { sourcesOf } from "./from-ekuiper.ts";
import { type LocalEngine, notFound } from "./local-engine.ts";
import type { Reply } from "./rest-request.ts";
import type { RestRoute } from "./rest-routes.ts";
import { shortStatus, statusOf, topologyOf } from "./rule-status.ts";

const said = (text: string): Reply => ({ status: 200, text });

export const ruleRoutes: readonly RestRoute[] = [
  {
    methods: ["GET"],
    path: "/rules",
    handle: ({ engine }) => ({ status: 200, json: idsOf(engine).map((id) => briefOf(engine, id)) }),
  },
  {
    ...{ methods: ["POST"], path: "/rules" },
    async handle({ engine }, { body }) {
      const id = await engine.putRule(body, { mustBe: "new" });
      return { status: 201, text: `Rule ${id} was created successfully.` };
    },
  },
  {
    ...{ methods: ["POST"], path: "/rules/validate" },
    handle({ engine }, { body }) {
      if (!isObject(body)) throw new AppError("input/invalid", "Invalid body: it must be a rule");
      try {
        const { rule } = engine.check(body);
        return { status: 200, json: { valid: true, sources: sourcesOf(rule.sql) } };
      } catch (error) {
        if (error instanceof AppError && error.code !== "internal")
          return { status: 422, text: `invalid rule json: ${error.message}` };
        throw error;
      }
    },
  },
  {
    ...{ methods: ["GET"], path: "/rules/status/all" },
    handle: ({ engine }) => ({
      status: 200,
      json: Object.fromEntries(idsOf(engine).map((id) => [id, statusOf(findRule(engine, id), engine.healthOf(id))])),
    }),
  },
  {
    ...{ methods: ["GET"], path: "/rules/tags/match" },
    handle({ engine }, { query, body }) {
      const wanted = query
        .getAll("tags")
        .flatMap((text) => text.split(","))
        .concat(tagsIn(body));
      const ids = Object.keys(engine.catalogue.rules);
      return { status: 200, json: ids.filter((id) => wanted.every((tag) => tagsOf(engine, id).includes(tag))) };
    },
  },
  {
    ...{ methods: ["GET"], path: "/rules/:id" },
    handle({ engine }, { params }) {
      const written = engine.written(params.id!);
      if (engine.assigned(params.id!) === null && written !== null)
        return { status: 200, json: withoutSecrets(written) };
      return { status: 200, json: assignedText(findRule(engine, params.id!)) };
    },
  },
  {
    ...{ methods: ["PUT"], path: "/rules/:id" },
    async handle({ engine }, { params, body }) {
      await engine.putRule(body, { mustBe: "any", id: params.id! });
      return said(`Rule ${params.id} was updated successfully.`);
    },
  },
  {
    ...{ methods: ["DELETE"], path: "/rules/:id" },
    async handle({ engine }, { params }) {
      await engine.dropRule(params.id!);
      return said(`Rule ${params.id} is dropped.`);
    },
  },
  {
    ...{ methods: ["POST"], path: "/rules/:id/start" },
    async handle({ engine }, { params }) {
      await engine.changeRule(params.id!, () => ({ triggered: true }));
      return said(`Rule ${params.id} was started`);
    },
  },
  {
    ...{ methods: ["POST"], path: "/rules/:id/stop" },
    async handle({ engine }, { params }) {
      await engine.changeRule(params.id!, () => ({ triggered: false }));
      return said(`Rule ${params.id} was stopped.`);
    },
  },
  {
    ...{ methods: ["POST"], path: "/rules/:id/restart" },
    async handle({ engine }, { params }) {
      await engine.restartRule(params.id!);
      return said(`Rule ${params.id} was restarted`);
    },
  },
  {
    ...{ methods: ["PUT"], path: "/rules/:id/reset_state" },
    async handle({ engine }, { params }) {
      await engine.restartRule(params.id!);
      return said("success");
    },
  },
  ...["/rules/:id/status", "/v2/rules/:id/status"].map(
    (path): RestRoute => ({
      ...{ methods: ["GET"], path },
      handle: ({ engine }, { params }) => ({
        status: 200,
        json: statusOf(findRule(engine, params.id!), engine.healthOf(params.id!)),
      }),
    }),
  ),
  {
    ...{ methods: ["GET"], path: "/rules/:id/topo" },
    handle: ({ engine }, { params }) => ({ status: 200, json: topologyOf(findRule(engine, params.id!)) }),
  },
  {
    ...{ methods: ["GET"], path: "/rules/:id/explain" },
    handle({ engine }, { params }) {
      const rule = findRule(engine, params.id!);
      const { sources } = engine.plan(rule);
      const lines = sources.map(({ stream, alias, columns }) => {
        const names = columns.map((one) =>
          one.t === "column" ? one.name : one.t === "all" ? "*" : `meta(${one.name})`,
        );
        return `   {"op":"DataSource","info":"StreamName: ${stream}, As: ${alias}, Fields:[ ${names.join(", ")} ]"}`;
      });
      return said([`{"op":"Project","info":"${JSON.stringify(rule.sql).slice(1, -1)}"}`, ...lines, ""].join("\n"));
    },
  },
  {
    ...{ methods: ["PUT", "PATCH"], path: "/rules/:id/tags" },
    async handle({ engine }, { params, body }) {
      await engine.changeRule(params.id!, (rule) => ({ tags: [...new Set([...tagsIn(rule), ...tagsIn(body)])] }));
      return said("success");
    },
  },
  {
    ...{ methods: ["DELETE"], path: "/rules/:id/tags" },
    async handle({ engine }, { params, body }) {
      const gone = new Set(tagsIn(body));
      await engine.changeRule(params.id!, (rule) => ({ tags: tagsIn(rule).filter((tag) => !gone.has(tag)) }));
      return said("success");
    },
  },
];

function idsOf(engine: LocalEngine): string[] {
  return [
    ...new Set([...Object.keys(engine.catalogue.rules), ...engine.rules.assigned().map(({ name }) => name)]),
  ].sort();
}

/** @throws AppError request/not-found */
function findRule(engine: LocalEngine, id: string): EffectiveRule {
  const assigned = engine.assigned(id);
  if (assigned !== null) return assigned;
  if (engine.written(id) === null) throw notFound("Rule", id);
  const { rule } = engine.taken(id);
  if (rule === null) throw notFound("Rule", id);
  return rule;
}

function briefOf(engine: LocalEngine, id: string) {
  const assigned = engine.assigned(id);
  const written = assigned === null ? engine.written(id) : null;
  const rule = assigned ?? engine.taken(id).rule;
  const name = typeof written?.name === "string" && written.name !== "" ? written.name : id;
  const tags = assigned === null ? tagsOf(engine, id) : ["assigned"];
  return { id, name, status: shortStatus(rule, engine.healthOf(id)), tags };
}

/** A rule of the cloud, in the words of its resource: it is read here, never changed. */
function assignedText({ name, sql, mode, actions, eventTime, isStopped }: EffectiveRule) {
  return withoutSecrets({
    ...{ id: name, name, sql, actions, triggered: !isStopped, tags: ["assigned"] },
    options: { mode, ...(eventTime !== null && { isEventTime: true, lateTolerance: eventTime.lateToleranceMs }) },
  });
}

function tagsOf(engine: LocalEngine, id: string): readonly string[] {
  return tagsIn(engine.written(id));
}
function tagsIn(value: unknown): string[] {
  const tags = isObject(value) ? value.tags : undefined;
  return Array.isArray(tags) ? tags.filter((one) => typeof one === "string") : [];
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  const hidden = (name: string, one: unknown) =>
    isSecretName(name) && typeof one === "string" ? hiddenSecret : withoutSecrets(one);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hidden(name, one)]));
}
