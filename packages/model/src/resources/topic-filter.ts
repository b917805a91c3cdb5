import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";

/**
 * First levels of topics that this gateway speaks for: `#` and `+` of a right to publish never reach them, a filter must
 * name them. Who reads there believes what it reads.
 */
const ownFirstLevels: ReadonlySet<string> = new Set(["penstock", "spBv1.0", "$hw", "$ke"]);
const userMark = "%u";

/**
 * Whether a topic name is one of a filter.
 *
 * @source MQTT 5.0, 4.7: `+` is one level, `#` at the end any number and the level above; neither matches a first level
 *   that starts with `$`
 */
export function matchesFilter(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && isWildcard(wanted[0])) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return true;
    if (i >= levels.length || (level !== "+" && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether every topic of `asked` is one of `allowed`. */
export function coversFilter(allowed: string, asked: string): boolean {
  // The same topics: a first level is always there.
  const [wide, narrow] = [allowed === "+/#" ? ["#"] : allowed.split("/"), asked.split("/")];
  if (asked.startsWith("$") && isWildcard(wide[0])) return false;
  for (const [i, level] of wide.entries()) {
    if (level === "#") return true;
    const other = narrow[i];
    if (other === undefined || other === "#" || (level !== "+" && level !== other)) return false;
  }
  return wide.length === narrow.length;
}

/** Whether one of the filters lets somebody publish to a topic. */
export function mayPublish(filters: readonly string[], topic: string): boolean {
  const first = topic.split("/", 1)[0] ?? "";
  const isOwn = ownFirstLevels.has(first);
  // What else starts with $ is the broker's.
  if (first.startsWith("$") && !isOwn) return false;
  return filters.some((filter) => (!isOwn || filter.split("/", 1)[0] === first) && matchesFilter(filter, topic));
}

/** Whether one of the filters lets somebody subscribe to another. */
export function maySubscribe(filters: readonly string[], asked: string): boolean {
  return filters.some((filter) => coversFilter(filter, asked));
}

/** Filters with the user's name in the place of each %u. */
export function filtersOf(filters: readonly string[], user: string): string[] {
  return filters.map((filter) => filter.replaceAll(userMark, user));
}

/** @source MQTT 5.0, 4.7.1: a wildcard is a whole level, `#` the last one; 4.7.3: at least one character, no U+0000 */
export function checkTopicFilter(filter: string, field: string): FieldError[] {
  const refuse = (rule: string) => [{ field, value: shown(filter), rule }];
  const levels = filter.split("/");
  if (levels.some((level) => level.includes("+") && level !== "+")) return refuse("must have + as a whole level");
  if (levels.some((level, i) => level.includes("#") && (level !== "#" || i < levels.length - 1))) {
    return refuse("must have # as the whole last level");
  }
  if (/\p{Cc}/u.test(filter)) return refuse("must have no control characters");
  if (!filter.isWellFormed()) return refuse("must be well-formed Unicode");
  if (filter.startsWith("$") && !ownFirstLevels.has(levels[0]!) && levels[0] !== "$sparkplug") {
    return refuse("must not start with $, which is the broker's own, but for $ke/, $hw/ and $sparkplug/");
  }
  if (levels.length > limits.topicLevels) return refuse(`must have at most ${limits.topicLevels} levels`);
  if (new TextEncoder().encode(filter).length > limits.topicBytes) {
    return refuse(`must be at most ${limits.topicBytes} bytes`);
  }
  return [];
}

function isWildcard(level: string | undefined): boolean {
  return level === "#" || level === "+";
}
