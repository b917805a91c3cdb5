import { badge, byId, cell, make, noneRow, quiet, refill } from "./dom.js";

const nodesShown = 4;
export const stateClasses = { running: "good", stopped: "quiet", refused: "bad", failed: "bad" };
export const ruleAddress = (name) => `#/rules/${encodeURIComponent(name)}`;
/** Those at which somebody has to do something. */
export const isIll = ({ state }) => state === "refused" || state === "failed";

/** The rules of the tenant: how each is at its gateways, and what is wrong with it. */
export function showRules({ rules }) {
  refill(byId("rules"), rules.length === 0 ? [noneRow(6)] : rules.map(ruleRow));
  byId("no-rules").hidden = rules.length > 0;
}

function ruleRow({ metadata, spec, status }) {
  const { nodes } = status;
  const { name, displayName } = metadata;
  const names = make("td", { className: "name" }, make("a", { href: ruleAddress(name) }, displayName ?? name));
  const ill = nodes.find(({ message, lastError }) => message !== null || lastError !== null);
  return make(
    "tr",
    {},
    names,
    statesCell(nodes, spec.nodes),
    countCell("Rows in", nodes, "rowsIn"),
    countCell("Results", nodes, "rowsOut"),
    countCell("Errors", nodes, "errors"),
    make(
      "td",
      { className: "message" },
      ...(ill === undefined ? [quiet("–")] : [`${ill.node}: ${ill.message ?? ill.lastError}`]),
    ),
  );
}

function statesCell(nodes, wanted) {
  const shown = nodes
    .slice(0, nodesShown)
    .map(({ node, state }) => make("li", {}, badge(stateClasses[state] ?? "waiting", state), ` ${node}`));
  if (nodes.length > nodesShown) shown.push(make("li", { className: "quiet" }, othersText(nodes.slice(nodesShown))));
  if (nodes.length === 0) return cell("Gateways", quiet(`none that there is: ${nodesText(wanted)}`));
  return cell("Gateways", make("ul", {}, ...shown));
}

/** "and 3 running, 1 refused" */
function othersText(nodes) {
  const counts = new Map();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return `and ${[...counts].map(([state, count]) => `${count} ${state}`).join(", ")}`;
}

function countCell(label, nodes, field) {
  const sum = nodes.reduce((before, node) => before + node[field], 0);
  return make(
    "td",
    { className: field === "errors" && sum > 0 ? "number bad" : "number", "data-label": label },
    String(sum),
  );
}

/** "gw-01, gw-02" or "line=filling" */
export function nodesText(nodes) {
  if (Array.isArray(nodes)) return nodes.join(", ");
  return (
    Object.entries(nodes.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(",") || "all"
  );
}
