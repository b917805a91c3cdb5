import { call, methodPath } from "./api.js";
import { badge, make, quiet, refill } from "./dom.js";
import { createValueInput } from "./value-input.js";
import { bothNames, durationText, momentText, reasonText, whole, withUnit } from "./values.js";

const waitText = "10s";
const askAgainMs = 1000;
const callsShown = 5;
const classes = { done: "good", failed: "bad", expired: "bad", unknown: "uncertain" };
const isEnd = (state) => classes[state] !== undefined;

/** A form made from a method's arguments, the outcome of its call, and the calls before. */
export function createMethodForm(method, { tenant, device }) {
  const path = methodPath(tenant, device, method.method);
  const title = bothNames(method.displayName, method.method);
  const inputs = method.arguments.map((argument) => ({
    name: argument.name,
    ...createValueInput(argument, `${argument.name} of ${method.method}`),
  }));
  const button = make("button", { type: "submit", "aria-label": `Call ${title}` }, "Call");
  const outcome = make("output", {});
  const calls = make("ol", { className: "calls", "aria-label": `Latest calls of ${title}` });
  const fields = inputs.map(({ name, input, notes }) =>
    make("div", { className: "argument" }, make("span", {}, name), input, ...notes),
  );
  const form = make("form", { className: "entry" }, ...fields, button);
  const element = make("article", { "aria-label": title }, make("h4", {}, title), quiet(aboutText(method)), form);
  element.append(outcome, calls);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await act();
    button.disabled = false;
  });

  async function act() {
    try {
      const given = inputs.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined);
      say(`Calling ${title} …`, "quiet");
      let view = await call("POST", `${path}?wait=${waitText}`, { arguments: Object.fromEntries(given) });
      while (!isEnd(view.state) && element.isConnected) {
        say(`${title}: ${view.state}`, "quiet");
        await new Promise((resolve) => setTimeout(resolve, askAgainMs));
        view = await call("GET", `${path}/calls/${view.id}`);
      }
      say(`${title}: ${view.state}${resultText(method, view)}`, classes[view.state] ?? "quiet");
    } catch (error) {
      say(error.message, error.code === "twin/outcome-unknown" ? "uncertain" : "bad");
    }
    await showCalls();
  }
  function say(text, className) {
    Object.assign(outcome, { textContent: text, className });
  }
  async function showCalls() {
    const { items } = await call("GET", `${path}/calls?limit=${callsShown}`).catch(() => ({ items: [] }));
    refill(
      calls,
      items.map((one) => callItem(method, one)),
    );
  }
  showCalls();
  return element;
}

function aboutText({ timeoutMs, sets, resultType, resultUnit }) {
  const parts = [`at most once, within ${durationText(timeoutMs)}`];
  if (sets.length > 0) parts.push(`sets ${sets.join(", ")}`);
  if (resultType !== null) parts.push(withUnit(`answers ${resultType}`, resultUnit));
  return parts.join(" · ");
}

function resultText({ resultUnit }, { resultType, result }) {
  if (resultType === null || result === null) return "";
  return `, answered ${withUnit(whole(resultType, result), resultUnit)}`;
}

function callItem(method, one) {
  const given = Object.entries(one.arguments).map(
    ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const item = make(
    "li",
    {},
    badge(classes[one.state] ?? "waiting", `${one.state}${resultText(method, one)}`),
    ` ${given.join(", ")} `,
    quiet(`${momentText(one.calledAt)} by ${one.calledBy}`),
  );
  const why = reasonText(one);
  if (why !== "") item.append(make("p", {}, why));
  const steps = one.steps.map((step) => {
    const about = reasonText(step);
    return `${step.property} ${step.state}${about === "" ? "" : `: ${about}`}`;
  });
  if (steps.length > 0) item.append(make("p", { className: "quiet" }, steps.join(" · ")));
  return item;
}
