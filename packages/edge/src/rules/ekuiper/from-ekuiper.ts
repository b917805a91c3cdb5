import { createHash } from "node:crypto";
import { AppError, type EffectiveRule, limits, type RuleSourceSpec, type RuleUid } from "@penstock/model";
import { parseQuery } from "@penstock/rules";
import { type ActionSurroundings, fromAction } from "./from-action.ts";
import { fromStream, type TakenStream } from "./from-stream.ts";
import { type EkuiperFinding, Props, type Tell } from "./props.ts";

export interface EkuiperInput {
  /** as JSON.parse gives it */
  readonly rule: unknown;
  /** for a rule that names none */
  readonly id?: string;
  /** CREATE statements by the name of their stream or table */
  readonly streams: ReadonlyMap<string, string>;
  /** "HOST:PORT" by which the gateway's own broker is named */
  readonly ownBrokers: ReadonlySet<string>;
}
export interface FromEkuiper {
  readonly id: string;
  /** null: something in it is refused */
  readonly rule: EffectiveRule | null;
  readonly findings: readonly EkuiperFinding[];
}

/** What can be the name of a folder and a label, and holds most names that eKuiper's users give. */
export const localIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;
/** eKuiper lets a silent source hold up the others for ever; a year is as good. */
const forEverMs = Math.floor(limits.windowMicros / 1000);

/**
 * A rule of eKuiper, with the streams it reads, as a rule of this gateway in mode compat. Streams that are not declared are
 * taken for devices.
 *
 * @throws AppError rules/bad-sql for SQL that cannot be read
 * @source reference 1.4
 */
export function fromEkuiper({ rule, id: given, streams, ownBrokers }: EkuiperInput): FromEkuiper {
  const findings: EkuiperFinding[] = [];
  const named = typeof rule === "object" && rule !== null ? (rule as { id?: unknown }).id : undefined;
  const id = typeof named === "string" && named !== "" ? named : (given ?? "");
  const document = `rule "${id}"`;
  const tell: Tell = (finding) => findings.push({ document, ...finding });
  const props = new Props(rule, "", tell);
  props.take("id");
  if (!localIdPattern.test(id))
    props.refuse("id", "must be 1..200 letters, digits, _, . or -, and begin with a letter or digit");
  for (const name of [
    "name",
    "description",
    "tags",
    "version",
    "createdAt",
    "updatedAt",
    "lastStartTime",
    "lastStopTime",
  ])
    props.take(name);
  props.refuseIfSet("graph", "a rule is written in SQL");
  props.lose("temp", "it is kept until it is deleted");
  const isStopped = props.flag("triggered") === false;
  const sql = props.text("sql") ?? "";
  const sources = new Map<string, TakenStream>();
  if (sql === "") props.refuse("sql", "is missing");
  else {
    for (const name of sourcesOf(sql)) {
      const create = streams.get(name);
      if (create === undefined) continue;
      const taken = fromStream(create, ownBrokers);
      sources.set(name, taken);
      findings.push(...taken.findings);
    }
  }
  const around: ActionSurroundings = { ownBrokers, readersOf: (topic) => memoryReaders(streams, topic) };
  const listed = props.take("actions");
  const list = Array.isArray(listed) ? listed : [];
  if (list.length === 0) props.refuse("actions", "must be a list of at least one");
  const actions = list.flatMap((one, i) => fromAction(one, `actions[${i}]`, tell, around));
  if (actions.length > limits.actionsPerRule) props.refuse("actions", `must be at most ${limits.actionsPerRule}`);
  const eventTime = takeOptions(new Props(props.take("options"), "options", tell));
  props.end();
  if (findings.some(({ level }) => level === "refused")) return { id, rule: null, findings };
  const taken = [...sources].map(([name, { source }]) => [name, source] as const);
  return {
    id,
    findings,
    rule: {
      ...{ uid: localUid(id), name: id, generation: 1, sql, mode: "compat", isStopped, eventTime },
      sources: Object.fromEntries(taken) as Record<string, RuleSourceSpec>,
      actions,
    },
  };
}

/** Refused fields as one error. @throws nothing; the caller throws it */
export function refusalOf(findings: readonly EkuiperFinding[]): AppError {
  const refused = findings.filter(({ level }) => level === "refused");
  const text = refused.map(({ document, field, value, why }) => `${document}: ${field} is ${value}: ${why}`).join("; ");
  const fields = refused.map(({ field, value, why }) => ({ field, value, rule: why }));
  return new AppError("input/invalid", text, { fields });
}

/** The same for a rule of the same id, so that its state is found again. */
export function localUid(id: string): RuleUid {
  return createHash("sha256").update(`local rule ${id}`).digest("hex").slice(0, 32) as RuleUid;
}

/** The streams and tables that a query names. @throws AppError rules/bad-sql */
export function sourcesOf(sql: string): string[] {
  const { from, joins } = parseQuery(sql, "compat");
  return [...new Set([from, ...joins.map(({ source }) => source)].map(({ name }) => name))];
}

function memoryReaders(streams: ReadonlyMap<string, string>, topic: string): string[] {
  return [...streams].flatMap(([name, sql]) => {
    const { define } = fromStream(sql, new Set());
    const { options } = define;
    const isMemory = (options.get("TYPE") ?? "").toLowerCase() === "memory";
    return isMemory && options.get("DATASOURCE") === topic ? [name] : [];
  });
}

function takeOptions(options: Props): EffectiveRule["eventTime"] {
  const isEventTime = options.flag("isEventTime") ?? false;
  const lateToleranceMs = options.ms("lateTolerance") ?? 0;
  for (const name of ["cron", "duration", "cronDatetimeRange"])
    options.refuseIfSet(name, "rules run until they are stopped");
  for (const name of [
    "bufferLength",
    "checkpointInterval",
    "restartStrategy",
    "debug",
    "logFilename",
    "planOptimizeStrategy",
    "experiment",
    "enableRuleTracer",
    "notifySub",
  ])
    options.note(name, "the gateway decides it for all rules");
  options.note("qos", "state is always kept, and results go at least once");
  if ((options.number("concurrency") ?? 1) > 1) options.tell("concurrency", "note", "rows keep their order");
  if (options.flag("disableBufferFullDiscard") === true)
    options.tell(
      "disableBufferFullDiscard",
      "lossy",
      "a rule that falls behind loses the oldest rows, and they are counted",
    );
  if (options.flag("sendError") === true)
    options.tell("sendError", "lossy", "errors stand in the status of the rule, and are not sent");
  if (options.flag("sendMetaToSink") === true) options.tell("sendMetaToSink", "lossy", "select meta(*) in SQL");
  if (options.flag("sendNilField") === true)
    options.tell("sendNilField", "lossy", "columns without a value are left out of a result");
  options.end();
  return isEventTime ? { lateToleranceMs, idleAfterMs: forEverMs } : null;
}
