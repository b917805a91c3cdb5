import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { shown } from "../shown.ts";

/** What a template of a topic may name. */
const topicPlaceholders = ["tenant", "device", "property"] as const;
const placeholder = /\$\{([^}]*)\}/g;
/** Names are DNS labels or property names: none is longer. */
const longestName = "x".repeat(63);
/** Topics of KubeEdge start with a dollar sign; all others that do are the broker's own. */
const kubeEdge = /^\$(ke|hw)\//;

/**
 * The template of a topic that readings are published to.
 *
 * @source MQTT 3.1.1, 4.7: wildcards are for filters only, no U+0000, at least one character, "$…" is the server's
 */
export function checkTopic(template: string, field: string): FieldError[] {
  const refuse = (rule: string) => [{ field, value: shown(template), rule }];
  for (const [whole, name] of template.matchAll(placeholder)) {
    if ((topicPlaceholders as readonly string[]).includes(name ?? "")) continue;
    const known = topicPlaceholders.map((one) => `\${${one}}`).join(", ");
    return refuse(`knows no ${whole}, only ${known}`);
  }
  const topic = template.replaceAll(placeholder, longestName);
  if (topic.includes("${")) return refuse("has a placeholder that does not end");
  if (/[#+]/.test(topic)) return refuse("must have no wildcard (# or +): it names one topic to publish to");
  if (/\p{Cc}/u.test(topic)) return refuse("must have no control characters");
  if (!topic.isWellFormed()) return refuse("must be well-formed Unicode");
  if (topic.startsWith("$") && !kubeEdge.test(topic)) {
    return refuse("must not start with $, which is the broker's own, but for $ke/ and $hw/");
  }
  if (topic.split("/").length > limits.topicLevels) return refuse(`must have at most ${limits.topicLevels} levels`);
  if (new TextEncoder().encode(topic).length > limits.topicBytes) {
    return refuse(`must be at most ${limits.topicBytes} bytes with names of 63 characters filled in`);
  }
  return [];
}
