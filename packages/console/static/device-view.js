import { call, devicePath, propertyPath } from "./api.js";
import { byId, make } from "./dom.js";
import { clockTime, parse, show } from "./values.js";

const waitText = "10s";

/** The chosen device: its values as they come, and a form for what can be written. */
export function createDeviceView({ onChoose }) {
  const rows = new Map();
  let shown = null;

  async function load(tenant, device) {
    shown = { tenant, device };
    const twin = await call("GET", `${devicePath(tenant, device)}/twin`);
    if (shown.device !== device || shown.tenant !== tenant) return;
    byId("device-title").textContent = `Values of ${device}`;
    byId("outcome").textContent = "";
    rows.clear();
    byId("properties").replaceChildren(...twin.properties.map(row));
    const first = twin.properties[0];
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
    const set = make("td", {}, ...(property.access === "read" ? [] : [setForm(property), desired]));
    return make("tr", {}, make("td", {}, name), value, make("td", {}, property.unit ?? ""), time, quality, set);
  }

  function choose(property) {
    for (const one of rows.values()) one.name.setAttribute("aria-pressed", String(one.property === property));
    onChoose(shown.device, property);
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
    if (property.minimum !== null && property.maximum !== null)
      input.title = `${property.minimum} to ${property.maximum}`;
    const button = make("button", { type: "submit" }, "Set");
    const form = make("form", { className: "set" }, input, button);
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
        say(`${what}: written, and read back as ${show(outcome.type, outcome.readBack)}`, "good");
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
    one.time.textContent = clockTime(reading.time);
    one.quality.textContent = reading.reason === null ? reading.quality : `${reading.quality} (${reading.reason})`;
    one.quality.className = reading.quality;
  }
  /** What became of the last value that somebody set, here or elsewhere. */
  function fillDesired({ property, type, value, state }) {
    const one = rows.get(property);
    if (one !== undefined) one.desired.textContent = `${show(type, value)}: ${state}`;
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
