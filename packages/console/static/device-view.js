import { call, devicePath } from "./api.js";
import { badge, byId, make, noneRow, quiet } from "./dom.js";
import { createHistory } from "./history-view.js";
import { createMethodForm } from "./method-form.js";
import { createOrigins } from "./origins-view.js";
import { createPropertyRow } from "./property-row.js";
import { bothNames, momentText, reasonText } from "./values.js";

/** More rows than this help nobody: a field to find them by is shown instead. */
const rowsMost = 200;
const findFrom = 20;
/** A twin larger than this is asked for anew once a minute only: megabytes every few seconds serve nobody. */
const largeTwin = 1000;
const largeEveryMs = 60_000;
const columns = 6;

/** The chosen device: presence, values as they come, what can be set and called, and where its settings come from. */
export function createDeviceView({ onChoose }) {
  const rows = new Map();
  let shown = null;
  let twin = null;
  /** of the twin, by name; what comes later is kept here too, for rows that are found later */
  let properties = new Map();
  let cycles = [];
  let described = "";
  let askedAt = 0;
  const find = byId("find-property");
  find.addEventListener("input", drawRows);
  const origins = createOrigins(byId("origins"));
  const history = createHistory(byId("history"), { body: byId("history-rows") });

  async function load(tenant, resource) {
    const { name, displayName } = resource.metadata;
    shown = { tenant, device: name, title: bothNames(displayName, name) };
    described = "";
    properties.clear();
    find.value = "";
    byId("device-title").textContent = shown.title;
    origins.show(shown);
    history.show(devicePath(tenant, name));
    showStatus(resource);
    await refresh();
  }

  /** Asks for what no event carries, such as who holds a property; draws anew when the device was changed. */
  async function refresh() {
    const of = shown;
    if (of === null || (properties.size > largeTwin && performance.now() - askedAt < largeEveryMs)) return;
    askedAt = performance.now();
    const news = await call("GET", `${devicePath(of.tenant, of.device)}/twin`);
    if (shown !== of) return;
    const text = descriptionOf(news);
    if (text !== described) {
      described = text;
      twin = news;
      properties = new Map(news.properties.map((property) => [property.property, property]));
      drawRows();
      drawMethods();
      chooseFirst();
      return;
    }
    for (const { property, reported, desired, hold } of news.properties) {
      takeDesired(property, desired);
      properties.get(property).hold = hold;
      rows.get(property)?.takeHold(hold);
      // The stream is ahead of this answer, except while it is lost.
      if (reported !== null) fill(reported);
    }
  }

  function drawRows() {
    const text = find.value.trim().toLowerCase();
    const all = twin?.properties ?? [];
    const found = all.filter(({ property, displayName }) =>
      `${property} ${displayName ?? ""}`.toLowerCase().includes(text),
    );
    rows.clear();
    for (const property of found.slice(0, rowsMost)) {
      rows.set(property.property, createPropertyRow(property, { ...shown, onChoose: choose }));
    }
    const elements = [...rows.values()].map(({ element }) => element);
    byId("properties").replaceChildren(...(elements.length === 0 ? [noneRow(columns)] : elements));
    byId("find-property-box").hidden = all.length < findFrom;
    byId("found-properties").textContent = `${elements.length} of ${all.length} shown`;
    fillCycles();
  }
  function drawMethods() {
    byId("methods-section").hidden = twin.methods.length === 0;
    byId("methods").replaceChildren(...twin.methods.map((method) => createMethodForm(method, shown)));
  }
  function chooseFirst() {
    // A measured value says more at a glance than a flag.
    const first = twin.properties.find(({ type }) => type.startsWith("float")) ?? twin.properties[0];
    if (first !== undefined) choose(first);
  }
  function choose(property) {
    for (const row of rows.values()) row.isChosen(row.property === property);
    onChoose(shown, property);
  }

  /** @param resource the Device, as the list of devices has it */
  function showStatus({ metadata, spec, status }) {
    if (shown?.device !== metadata.name) return;
    const parts = [presenceBadge(status)];
    if (status.since !== null) parts.push(` since ${momentText(status.since)}`);
    const why = reasonText(status);
    if (why !== "") parts.push(make("span", { className: status.state === "offline" ? "bad" : "" }, ` ${why}`));
    byId("presence").replaceChildren(...parts);
    const line =
      typeof spec.connection === "string" ? `line ${spec.connection}` : `its own ${spec.connection.protocol} line`;
    const last = status.lastReadingAt === null ? "no reading yet" : `last reading ${momentText(status.lastReadingAt)}`;
    const model = spec.model === undefined ? [] : [`model ${spec.model}`];
    byId("device-about").replaceChildren(quiet([last, `gateway ${spec.node}`, line, ...model].join(" · ")));
    cycles = status.cycles;
    fillCycles();
  }
  function fillCycles() {
    for (const row of rows.values()) row.fillCycle(cycles.find(({ cadence }) => cadence === row.property.collect));
  }

  function fill(reading) {
    const property = properties.get(reading.property);
    if (property === undefined || (property.reported !== null && property.reported.time > reading.time)) return;
    property.reported = reading;
    rows.get(reading.property)?.fill(reading);
  }
  function takeDesired(name, desired) {
    const property = properties.get(name);
    if (property === undefined || desired === null) return;
    property.desired = desired;
    rows.get(name)?.takeDesired(desired);
  }

  return {
    load,
    refresh,
    showStatus,
    take(device, reading) {
      if (shown?.device === device) fill(reading);
    },
    takeDesired(desired) {
      if (shown?.device === desired.device) takeDesired(desired.property, desired);
    },
    clear() {
      shown = null;
      twin = null;
      properties.clear();
      rows.clear();
      byId("properties").replaceChildren();
    },
  };
}

export function presenceBadge({ state }) {
  return badge(state === "online" ? "good" : state === "offline" ? "bad" : "waiting", state);
}

/** All of a twin but its values: while it stays the same, rows and what is typed into them stay. */
function descriptionOf({ properties, methods }) {
  return JSON.stringify([properties.map(({ reported, desired, hold, ...rest }) => rest), methods]);
}
