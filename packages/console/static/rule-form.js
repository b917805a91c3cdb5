import { call, rulePath } from "./api.js";
import { byId, make, refill } from "./dom.js";

/**
 * The query of a rule, or the condition that stands for one, as text. What is typed stays until it is saved or discarded,
 * whatever comes meanwhile; the server says what is wrong with it, with line and column, before anything is stored.
 */
export function createRuleForm({ onSaved }) {
  const text = byId("rule-text");
  const faults = byId("rule-faults");
  let tenant = null;
  let rule = null;
  /** as it was when it came here */
  let stored = "";
  text.addEventListener("input", showChange);
  byId("rule-check").addEventListener("click", () => send(true));
  byId("rule-back").addEventListener("click", () => put(rule));
  byId("rule-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
  });

  const isChanged = () => text.value !== stored;
  function showChange() {
    byId("rule-back").hidden = !isChanged();
  }
  function put(of) {
    rule = of;
    stored = textOf(of.spec);
    text.value = stored;
    text.rows = Math.min(20, Math.max(4, stored.split("\n").length + 1));
    byId("rule-query-title").textContent = of.spec.sql === undefined ? "Condition" : "Query";
    refill(faults, []);
    showChange();
  }

  async function send(dryRun) {
    refill(faults, []);
    const { name, resourceVersion } = rule.metadata;
    try {
      const part = specPart(rule.spec, text.value);
      const patch = {
        spec: part.sql === undefined ? { condition: patchTo(rule.spec.condition, part.condition) } : part,
      };
      const path = `${rulePath(tenant, name)}${dryRun ? "?dryRun=true" : ""}`;
      const answer = await call("PATCH", path, patch, { ifMatch: resourceVersion });
      if (!dryRun) put(answer);
      say(dryRun ? "Nothing is wrong with it" : "Saved", "good");
      if (!dryRun) await onSaved();
    } catch (error) {
      const fields = error.fields ?? [];
      if (fields.length === 0) say(error.message, "bad");
      else refill(faults, fields.map(faultItem));
      point(fields);
    }
  }
  function say(words, className) {
    refill(faults, [make("li", { className }, words)]);
  }
  /** The cursor goes to what the server names. */
  function point(fields) {
    const [, line, column] = fields.map(({ rule: why }) => place.exec(why)).find((found) => found !== null) ?? [];
    if (line === undefined) return;
    const { value } = fields.find(({ rule: why }) => place.test(why));
    const before = text.value.split("\n").slice(0, Number(line) - 1);
    const at = before.reduce((sum, one) => sum + one.length + 1, 0) + Number(column) - 1;
    const near = value.replace(/^"|"$/g, "");
    text.focus();
    text.setSelectionRange(at, text.value.startsWith(near, at) ? at + near.length : at);
  }
  return {
    /** @param isOther  another rule than before */
    show(of, news, isOther) {
      tenant = of;
      if (isOther || !isChanged()) {
        if (isOther || textOf(news.spec) !== stored) put(news);
        rule = news;
      }
    },
    /** as it would be with what stands there now */
    spec: () => {
      const { sql: _, condition: __, ...rest } = rule.spec;
      return { ...rest, ...specPart(rule.spec, text.value) };
    },
  };
}

const place = /^line (\d+), column (\d+)/;

function textOf({ sql, condition }) {
  return sql ?? JSON.stringify(condition, null, 2);
}
function specPart({ sql }, text) {
  return sql === undefined ? { condition: JSON.parse(text) } : { sql: text };
}
/** Fields that are no longer there are null in a merge patch. @source RFC 7396 */
function patchTo(before, after) {
  if (!isObject(before) || !isObject(after)) return after;
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const changed = Object.entries(after).map(([key, value]) => [key, patchTo(before[key], value)]);
  return Object.fromEntries([...gone.map((key) => [key, null]), ...changed]);
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function faultItem({ field, value, rule }) {
  return make("li", { className: "bad" }, make("code", {}, field), ` ${value}: ${rule}`);
}
