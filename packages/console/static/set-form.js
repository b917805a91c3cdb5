import { call, propertyPath } from "./api.js";
import { desiredState, holdState } from "./desired-state.js";
import { make, refill } from "./dom.js";
import { createValueInput } from "./value-input.js";
import { withUnit } from "./values.js";

const waitText = "10s";

/** The form that sets a property, what became of the last value set, and who holds it. */
export function createSetForm(property, { tenant, device }) {
  const path = `${propertyPath(tenant, device, property.property)}/desired?wait=${waitText}`;
  const { input, notes, read } = createValueInput(property, `New value of ${property.property}`);
  const button = make("button", { type: "submit", "aria-label": `Set ${property.property}` }, "Set");
  const outcome = make("output", {});
  const hold = make("div", { className: "desired" });
  const desired = make("div", { className: "desired", "aria-live": "polite" });
  const form = make("form", { className: "entry" }, input, ...notes, button);
  let last = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await set();
    button.disabled = false;
  });

  async function set() {
    const before = last?.version;
    try {
      const value = read();
      say(`Setting ${withUnit(input.value, property.unit)} …`, "quiet");
      takeDesired(await call("PUT", path, { value }));
    } catch (error) {
      // A value that was taken and then failed says so itself, with its steps; one that was refused has none.
      if (last?.version === before) say(error.message, "bad");
    }
  }
  function say(text, className) {
    Object.assign(outcome, { textContent: text, className });
  }

  /** News come by two ways, and may come twice: the latest stays, and what was said before is over. */
  function takeDesired(news) {
    if (news === null || (last !== null && news.updatedAt < last.updatedAt)) return;
    if (last === null || news.updatedAt > last.updatedAt) say("", "");
    last = news;
    refill(desired, desiredState(news, property.unit));
  }
  function takeHold(news) {
    refill(hold, news === null ? [] : holdState(news, property.unit));
  }
  takeDesired(property.desired);
  takeHold(property.hold);
  return { elements: [form, outcome, hold, desired], takeDesired, takeHold };
}
