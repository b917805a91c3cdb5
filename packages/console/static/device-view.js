import { call, devicePath, propertyPath } from "./api.js";
import { byId, make, noneRow } from "./dom.js";
import { unitText } from "./unit-text.js";
import { bothNames, clockTime, parse, rangeText, show, whole, withUnit } from "./values.js";

const waitText = "10s";

/** The chosen device: its values as they come, and a form for what can be written. */
export function createDeviceView({ onChoose }) {
  const rows = new Map();
  let shown = null;

  async function load(tenant, device, displayName) {
    shown = { tenant, device, title: bothNames(displayName, device) };
    const twin = await call("GET", `${devicePath(tenant, device)}/twin`);
    if (shown.device !== device || shown.tenant !== tenant) return;
    byId("device-title").textContent = `Values of ${shown.title}`;
    byId("outcome").textContent = "";
    rows.clear();
    const all = twin.properties.map(row);
    byId("properties").replaceChildren(...(all.length === 0 ? [noneRow(6)] : all));
    // A measured value says more at a glance than a flag.
    const first = twin.properties.find(({ type }) => type.startsWith("float")) ?? twin.properties[0];
    if (first !== undefined) choose(first);
  }

  function row(property) {
    const value = make("td", { className: "number" });
    const time = make("td", { className: "quiet" });
    const quality = make("td");
    const name = make("button", { type: "button", "aria-pressed": "false" }, property.displayName ?? property.property);
    name.addEventListener("click", () => choose(property));
    const desired = make("small", { className: "quiet" });
    rows.set(property.property, { name, value, time, quality, desired, property });
    if (property.reported !== null) fill(property.reported);
    if (property.desired !== null) fillDesired(property.desired);
    const set = make("td", { className: "set" }, ...(property.access === "read" ? [] : [setForm(property), desired]));
    const names = make("td", { className: "name" }, name);
    if (property.displayName !== null) names.append(" ", make("small", { className: "quiet" }, property.property));
    const unit = make("td", { className: "unit" }, property.unit === null ? "" : unitText(property.unit));
    return make("tr", {}, names, value, unit, time, quality, set);
  }

  function choose(property) {
    for (const one of rows.values()) one.name.setAttribute("aria-pressed", String(one.property === property));
    onChoose(shown, property);
  }

  function setForm(property) {
    const label = `New value of ${property.property}`;
    const input =
      property.type === "bool"
        ? make(
            "select",
            { "aria-label": label },
            make("option", { value: "true" }, "true"),
            make("option", { value: "false" }, "false"),
          )
        : make("input", { "aria-label": label, required: true, autocomplete: "off" });
    const button = make("button", { type: "submit" }, "Set");
    const form = make("form", {}, input, button);
    const range = rangeText(property);
    if (range !== null) {
      const id = `range-${property.property}`;
      input.setAttribute("aria-describedby", id);
      form.append(make("small", { className: "quiet", id }, range));
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      await set(property, input.value);
      button.disabled = false;
    });
    return form;
  }

  async function set(property, text) {
    const { tenant, device } = shown;
    const what = `${device} · ${property.property}`;
    say(`Setting ${what} to ${text} …`, "quiet");
    try {
      const value = parse(property.type, text);
      const path = `${propertyPath(tenant, device, property.property)}/desired?wait=${waitText}`;
      const outcome = await call("PUT", path, { value });
      if (outcome.state === "confirmed")
        say(
          `${what}: written, and read back as ${withUnit(whole(outcome.type, outcome.readBack), property.unit)}`,
          "good",
        );
      else if (outcome.state === "written" && property.access === "write") say(`${what}: written`, "good");
      else say(`${what}: ${outcome.state}. ${outcome.message ?? ""}`, "uncertain");
    } catch (error) {
      say(`${what}: ${error.message}`, "bad");
    }
  }
  function say(text, className) {
    Object.assign(byId("outcome"), { textContent: text, className });
  }

  function fill(reading) {
    const one = rows.get(reading.property);
    if (one === undefined) return;
    one.value.textContent = show(reading.type, reading.value);
    one.value.title = whole(reading.type, reading.value);
    one.time.textContent = clockTime(reading.time);
    one.quality.textContent = reading.reason === null ? reading.quality : `${reading.quality} (${reading.reason})`;
    one.quality.className = reading.quality;
  }
  /** What became of the last value that somebody set, here or elsewhere. */
  function fillDesired({ property, type, value, state }) {
    const one = rows.get(property);
    if (one !== undefined) one.desired.textContent = `${whole(type, value)}: ${state}`;
  }

  return {
    load,
    take(device, reading) {
      if (shown?.device === device) fill(reading);
    },
    takeDesired(desired) {
      if (shown?.device === desired.device) fillDesired(desired);
    },
    clear() {
      shown = null;
      rows.clear();
      byId("properties").replaceChildren();
    },
  };
}
