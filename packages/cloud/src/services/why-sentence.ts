import type { RuleCause } from "@penstock/api";
import { formatMicros, limits, type Micros, type RuleNodeStatus } from "@penstock/model";
import type { DevicePresence } from "./node-status.ts";

/** What a rule reads, as far as the cloud can see it. */
export interface WhySource {
  readonly name: string;
  /** what brings its rows; "device" has `presence` and `last` */
  readonly kind: "device" | "mqtt" | "http" | "file" | "memory";
  readonly presence: Pick<DevicePresence, "state" | "reason" | "message" | "since"> | null;
  /** of the columns that the query names: when the newest came, and what is wrong with those that are bad */
  readonly last: {
    readonly at: Micros | null;
    readonly never: readonly string[];
    readonly bad: readonly string[];
  } | null;
  /** of a stream that rules make: those of the gateway that do; of a device: those that calculate its columns */
  readonly givenBy: readonly string[] | null;
}
/** What the query makes of the last values of the device that it reads. */
export interface WhyTrial {
  /** "level = 0.4, 12:03:01" */
  readonly values: string;
  /** null: it cannot be told, since the query looks at more than one row, or at more than one stream */
  readonly passes: boolean | null;
  readonly error: string | null;
}
export interface WhyAlarm {
  readonly name: string;
  readonly key: string;
  readonly state: string;
  readonly raisedAt: Micros;
  /** null: it is not shelved */
  readonly shelved: { readonly until: Micros | null; readonly by: string } | null;
}
/** All that is known of a rule at one gateway. */
export interface WhyFacts {
  readonly status: RuleNodeStatus;
  readonly generation: number;
  readonly node: {
    readonly connected: boolean;
    readonly lastSeenAt: string | null;
    /** it tells only of the rules that are not well first */
    readonly tellsFew: boolean;
  };
  readonly sources: readonly WhySource[];
  readonly where: string | null;
  readonly having: boolean;
  readonly trial: WhyTrial | null;
  /** `closesAt`: null where rows, and not time, close it; `byRows`: by the times of rows, as they come */
  readonly window: { readonly text: string; readonly closesAt: Micros | null; readonly byRows: boolean } | null;
  /** the rule has actions other than alarms */
  readonly acts: boolean;
  /** of its alarms at this gateway, those that stand or are shelved */
  readonly alarms: readonly WhyAlarm[];
  /** names of those that it can raise */
  readonly raises: readonly string[];
}
export interface WhyAnswer {
  readonly cause: RuleCause;
  readonly why: string;
}

/** What keeps a rule from acting at a gateway, in the words of whoever wonders. */
export function whySilent(facts: WhyFacts): WhyAnswer {
  const { status, node } = facts;
  const away = node.lastSeenAt === null ? "has never connected" : `is not connected since ${short(node.lastSeenAt)}`;
  if (status.state === "unknown") {
    if (node.connected && node.tellsFew) {
      const why = `its gateway has so many rules that it tells only of ${limits.rulesTold}, those that are not well first`;
      return { cause: "not-silent", why: `${why}: this is none of them` };
    }
    if (node.connected) return { cause: "not-told", why: "its gateway has not told of it yet" };
    return { cause: "node-offline", why: `its gateway ${away}, and has not told of it` };
  }
  const told = whyTold(facts);
  if (node.connected) return told;
  const before =
    status.state === "running" ? "it runs on there; when it was last heard of" : "when it was last heard of";
  return { cause: "node-offline", why: `its gateway ${away}; ${before}: ${told.why}` };
}

function whyTold(facts: WhyFacts): WhyAnswer {
  const { status } = facts;
  switch (status.state) {
    case "waiting":
      return { cause: "waiting", why: `its gateway has generation ${status.generation}, not ${facts.generation} yet` };
    case "stopped":
      return { cause: "stopped", why: "it is stopped: spec.state" };
    case "refused":
    case "failed":
      return { cause: status.state, why: `it is ${status.state} there: ${status.message} (${status.reason})` };
    default:
      return whyRunning(facts);
  }
}

function whyRunning(facts: WhyFacts): WhyAnswer {
  const { status } = facts;
  const { rowsIn, rowsOut, errors, lastError, message } = status;
  const found: WhyAnswer[] = [];
  const add = (cause: RuleCause, why: string) => void found.push({ cause, why });
  for (const source of facts.sources) for (const why of silenceOf(source, rowsIn)) add("no-readings", why);
  if (rowsIn === 0 && found.length === 0) add("no-readings", "it runs, and no row has come yet");
  if (rowsIn > 0 && rowsOut === 0 && errors === 0) found.push(...withoutResults(facts));
  if (errors > 0) add("failing", `${times(errors)} a row or an action failed, last: ${lastError}`);
  for (const alarm of facts.alarms.filter(({ shelved }) => shelved !== null)) add("alarm-shelved", shelvedText(alarm));
  if (found.length === 0 && !facts.acts) found.push(...quietAlarms(facts));
  const counted = `${rowsOut} ${rowsOut === 1 ? "result" : "results"} of ${rowsIn} rows`;
  if (found.length === 0) add("not-silent", `it is not silent: ${counted}`);
  const [{ cause }] = found as [WhyAnswer];
  const said = found.map(({ why }) => why);
  if (rowsOut > 0 && cause !== "not-silent") said.push(`so far ${counted}`);
  if (message !== null) said.push(message);
  return { cause, why: said.join("; ") };
}

/** Rows come, and nothing of them. */
function withoutResults({ status: { rowsIn }, trial, where, having, window }: WhyFacts): WhyAnswer[] {
  const none = `none of ${rowsIn} ${rowsIn === 1 ? "row" : "rows"} gave a result`;
  if (trial?.error != null)
    return [{ cause: "failing", why: `${none}: with ${trial.values} it fails: ${trial.error}` }];
  if (trial?.passes === false && where !== null) {
    return [{ cause: "never-true", why: `${none}: WHERE ${where} is not true for the last values, ${trial.values}` }];
  }
  if (window !== null) {
    const end = endText(window);
    const more = having ? ", and HAVING chooses among what it gives" : "";
    return [{ cause: "window-open", why: `${none}: window ${window.text} is still open, ${end}${more}` }];
  }
  const about = where === null ? "the query leaves them out" : `WHERE ${where} was not true for them`;
  const now = trial?.passes === true ? `, though it is for the last values, ${trial.values}` : "";
  return [{ cause: "never-true", why: `${none}: ${about}${now}; penstock rule test --steps shows each row` }];
}

function endText({ closesAt, byRows }: NonNullable<WhyFacts["window"]>): string {
  if (byRows) return "a row that is later than its end closes it, or silence";
  return closesAt === null ? "rows close it, not time" : `it closes at ${short(formatMicros(closesAt))}`;
}

/** Why nothing comes of a source, or what is missing in what comes. */
function silenceOf({ name, kind, presence, last, givenBy }: WhySource, rowsIn: number): string[] {
  if (kind === "memory") {
    return givenBy?.length === 0 ? [`no rule at this gateway gives to the stream "${name}" that it reads`] : [];
  }
  if (kind !== "device") return rowsIn === 0 ? [`no row has come of "${name}" (${kind})`] : [];
  const said: string[] = [];
  if (presence?.state === "offline" && presence.reason !== "link/closed") {
    const since = presence.since === null ? "" : ` since ${short(presence.since)}`;
    said.push(`device "${name}" is offline${since}: ${presence.message ?? presence.reason}`);
  }
  if (last !== null && rowsIn === 0) {
    const newest =
      last.at === null ? "no reading of it has come yet" : `its last reading is of ${short(formatMicros(last.at))}`;
    const by =
      givenBy === null || givenBy.length === 0
        ? ""
        : `, and rule ${givenBy.map((one) => `"${one}"`).join(", ")} calculates it`;
    said.push(`no row has come of device "${name}": ${newest}${by}`);
  }
  if (last !== null && last.bad.length > 0) said.push(`device "${name}" has no good value of ${last.bad.join(", ")}`);
  if (last !== null && rowsIn > 0 && last.never.length > 0 && last.at !== null) {
    said.push(`device "${name}" has never told ${last.never.join(", ")}`);
  }
  return said;
}

function quietAlarms({ alarms, raises }: WhyFacts): WhyAnswer[] {
  if (raises.length === 0) return [];
  if (alarms.length === 0) {
    const names = raises.map((name) => `"${name}"`).join(", ");
    return [{ cause: "alarm-quiet", why: `it runs, and its alarm ${names} has no reason to stand` }];
  }
  const standing = alarms.map((one) => `${titleOf(one)} is ${one.state} since ${short(formatMicros(one.raisedAt))}`);
  return [{ cause: "alarm-stands", why: `${standing.join(", ")}: one that stands is raised once` }];
}

function shelvedText(alarm: WhyAlarm): string {
  const { until, by } = alarm.shelved!;
  const end = until === null ? "until it has returned to normal" : `until ${short(formatMicros(until))}`;
  return `${titleOf(alarm)} is shelved by ${by} ${end}: nobody is told, what it does to devices goes on`;
}

function titleOf({ name, key }: WhyAlarm): string {
  return `alarm "${name}" of ${key}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** Whole seconds are enough for a sentence. */
function short(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
