import { call, rulePath } from "./api.js";
import { badge, byId, cell, make, noneRow, quiet, refill } from "./dom.js";
import { createHistory } from "./history-view.js";
import { createRuleForm } from "./rule-form.js";
import { createTrial } from "./rule-trial.js";
import { nodesText, stateClasses } from "./rules-view.js";
import { bothNames, dateTime } from "./values.js";

/** One rule: how it is at each of its gateways and why, its query and actions, trials, and what it was. */
export function createRuleView({ onChanged }) {
  let tenant = null;
  let shown = null;
  const form = createRuleForm({ onSaved: changed });
  const trial = createTrial(() => form.spec());
  const history = createHistory(byId("rule-history"), { body: byId("rule-history-rows"), onRestored: changed });
  byId("rule-switch").addEventListener("click", async () => {
    const isStopped = shown.spec.state === "stopped";
    const patch = { spec: { state: isStopped ? "running" : "stopped" } };
    try {
      await call("PATCH", rulePath(tenant, shown.metadata.name), patch, { ifMatch: shown.metadata.resourceVersion });
      say("", "");
      await changed();
    } catch (error) {
      say(error.message, "bad");
    }
  });

  function say(text, className) {
    Object.assign(byId("rule-outcome"), { textContent: text, className });
  }
  /** What somebody did here: the list is asked for anew, and with it this page. */
  async function changed() {
    await onChanged();
    history.load();
  }

  /** @param rule as the list has it */
  async function show(of, rule) {
    const isOther = tenant !== of || shown?.metadata.name !== rule.metadata.name;
    tenant = of;
    shown = rule;
    const { name, displayName, updatedAt } = rule.metadata;
    const { nodes, description, state, mode = "strict" } = rule.spec;
    byId("rule-title").textContent = bothNames(displayName, name);
    const about = [description, `for ${nodesText(nodes)}`, `${mode} SQL`, `changed ${dateTime(updatedAt)}`];
    byId("rule-about").textContent = about.filter((text) => text !== undefined).join(" · ");
    byId("rule-switch").textContent = state === "stopped" ? "Start" : "Stop";
    form.show(of, rule, isOther);
    refill(byId("rule-actions"), rule.spec.actions.map(actionItem));
    if (isOther) {
      say("", "");
      trial.clear(of);
      history.show(rulePath(of, name));
      drawNodes(rule, null);
    }
    const why = await call("GET", `${rulePath(of, name)}/why`);
    if (shown === rule) drawNodes(rule, why);
  }
  return { show };
}

function drawNodes({ status }, why) {
  const rows = status.nodes.map((one) => nodeRow(one, why?.nodes.find(({ node }) => node === one.node)?.why));
  refill(byId("rule-nodes"), rows.length === 0 ? [noneRow(6, why?.why ?? "none")] : rows);
}

function nodeRow({ node, state, rowsIn, rowsOut, errors }, why) {
  const number = (label, count) => make("td", { className: "number", "data-label": label }, String(count));
  return make(
    "tr",
    {},
    make("td", { className: "name" }, node),
    cell("State", badge(stateClasses[state] ?? "waiting", state)),
    number("Rows in", rowsIn),
    number("Results", rowsOut),
    number("Errors", errors),
    make("td", { className: "message" }, why ?? "…"),
  );
}

/** An action has one key, its kind. */
function actionItem(action) {
  const [[kind, settings]] = Object.entries(action);
  const item = make("li", {}, make("strong", {}, kind), " ");
  if (Object.keys(settings).length > 0) item.append(make("pre", {}, JSON.stringify(settings, null, 2)));
  else item.append(quiet("as it is"));
  return item;
}
