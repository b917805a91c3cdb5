import { alarmPath, call, tenantPath } from "./api.js";
import { badge, byId, cell, make, noneRow, quiet, refill } from "./dom.js";
import { dateTime, momentText } from "./values.js";

const alarmsShown = 50;
const linesShown = 100;
const columns = 7;
/** out of sight for a shift */
const shelveFor = "8h";
const classes = { critical: "bad", major: "bad", minor: "uncertain", warning: "uncertain" };

/** Alarms, the last raised first, those that are over too: who saw them, what is shelved, and what happened to each. */
export function createAlarmsView() {
  let tenant = null;
  let items = [];
  /** lines of those whose history is open, by id */
  const histories = new Map();
  const body = byId("alarms");
  const filter = byId("alarm-filter");
  filter.addEventListener("change", () => show(tenant));
  body.addEventListener("click", ({ target }) => {
    const { act, id } = target.closest("button")?.dataset ?? {};
    if (act === "history") toggle(id);
    else if (act !== undefined) attempt(id, { kind: act, ...(act === "shelve" && { for: shelveFor }) });
  });
  body.addEventListener("submit", (event) => {
    event.preventDefault();
    const { comment } = event.target.elements;
    attempt(event.target.dataset.id, { kind: "comment", comment: comment.value });
    comment.value = "";
  });

  async function show(of) {
    if (of !== tenant) histories.clear();
    tenant = of;
    const query = filter.value === "" ? "" : `&${filter.value}`;
    const page = await call("GET", `${tenantPath(of)}/alarms?limit=${alarmsShown}${query}`);
    await Promise.all([...histories.keys()].map(read));
    if (of !== tenant) return;
    items = page.items;
    draw();
  }
  function draw() {
    const rows = items.flatMap((alarm) => {
      const lines = histories.get(alarm.id);
      const row = alarmRow(alarm, lines !== undefined);
      return lines === undefined ? [row] : [row, historyRow(alarm, lines)];
    });
    refill(body, rows.length === 0 ? [noneRow(columns)] : rows);
  }
  async function toggle(id) {
    if (histories.has(id)) histories.delete(id);
    else await read(id);
    draw();
  }
  async function read(id) {
    const path = `${alarmPath(tenant, id)}/history?limit=${linesShown}`;
    const page = await call("GET", path).catch((error) => ({ items: [], message: error.message }));
    histories.set(id, page);
  }
  async function attempt(id, act) {
    try {
      const { state } = await call("POST", `${alarmPath(tenant, id)}/acts?wait=5s`, act);
      say(state === "done" ? "" : `${act.kind} waits for the gateway`, "quiet");
      await show(tenant);
    } catch (error) {
      say(error.message, "bad");
    }
  }
  function say(text, className) {
    Object.assign(byId("alarm-outcome"), { textContent: text, className });
  }
  return { show };
}

function alarmRow(alarm, isOpen) {
  const { raisedAt, node, device, source, rule, name = alarm.alarm, code, key, message, count } = alarm;
  const isGroup = source === "rule" && key === "*";
  const title = source === "rule" ? `${rule}/${name}` : code;
  const what = cell("Alarm", make("code", {}, title));
  if (isGroup) what.append(" ", quiet(`${count} at once, as one`));
  return make(
    "tr",
    {},
    cell("Raised", dateTime(raisedAt)),
    cell("Of", device === null ? (node ?? "–") : `${node ?? "–"} / ${device}`),
    stateCell(alarm),
    what,
    make("td", { className: "message" }, message),
    make("td", { className: "number", "data-label": "Count" }, String(count)),
    make("td", { className: "acts" }, ...buttons(alarm, { title, isOpen })),
  );
}

function stateCell({ state, severity, clearedAt, acknowledgedBy, shelved, pending }) {
  const isOver = clearedAt !== null;
  const shown = cell(
    "State",
    isOver ? badge("quiet", `cleared ${momentText(clearedAt)}`) : badge(classes[severity], severity),
  );
  if (state === "returned") shown.append(quiet("nobody has seen it"));
  if (acknowledgedBy !== null) shown.append(quiet(`seen by ${acknowledgedBy}`));
  if (shelved !== null) {
    const until = shelved.until === null ? "until it is over" : `until ${momentText(shelved.until)}`;
    shown.append(quiet(`shelved by ${shelved.by} ${until}`));
  }
  if (pending.length > 0) shown.append(quiet(`${pending.join(", ")} waits for the gateway`));
  return shown;
}

function buttons({ id, state, source, shelved, pending }, { title, isOpen }) {
  const found = [];
  const add = (act, text) => {
    const button = make(
      "button",
      { type: "button", "data-act": act, "data-id": id, "aria-label": `${text} ${title}` },
      text,
    );
    found.push(button);
    return button;
  };
  if ((state === "unacknowledged" || state === "returned") && !pending.includes("acknowledge")) {
    add("acknowledge", "Acknowledge");
  }
  if (source === "rule" && shelved !== null) add("unshelve", "Unshelve");
  else if (source === "rule" && state !== "normal") add("shelve", `Shelve ${shelveFor}`);
  add("history", "History").setAttribute("aria-expanded", String(isOpen));
  return found;
}

function historyRow({ id, source }, { items, message }) {
  const lines = items.map(({ kind, time, who, comment, message: text }) =>
    make("li", {}, quiet(dateTime(time)), ` ${kind} `, who === null ? "" : `by ${who} `, quiet(comment ?? text)),
  );
  const inside = make("td", { colSpan: columns }, make("ol", { className: "lines" }, ...lines), message ?? "");
  if (source === "rule") {
    const input = make("input", {
      name: "comment",
      required: true,
      maxLength: 1000,
      placeholder: "Comment",
      "aria-label": "Comment",
    });
    const form = make(
      "form",
      { className: "tools", "data-id": id },
      input,
      make("button", { type: "submit" }, "Comment"),
    );
    inside.append(form);
  }
  return make("tr", { className: "changes" }, inside);
}
