import { call } from "./api.js";
import { cell, make, noneRow } from "./dom.js";
import { dateTime, whole } from "./values.js";

const versionsShown = 20;
const columns = 4;
const words = { create: "created", update: "changed", delete: "deleted" };

/**
 * Every stored state of a resource, the newest first, with what each changed; asked for when somebody looks.
 *
 * @param body  of the table
 * @param onRestored  called when somebody has made an older state the present one; left out: nobody may here
 */
export function createHistory(details, { body, onRestored }) {
  /** address of the resource */
  let shown = null;
  details.addEventListener("toggle", load);

  async function load() {
    if (!details.open || shown === null) return;
    const of = shown;
    try {
      const { items } = await call("GET", `${of}/versions?limit=${versionsShown}`);
      if (shown !== of) return;
      const restore = (version) =>
        onRestored === undefined || version === items[0] ? null : () => bringBack(of, version);
      body.replaceChildren(...items.flatMap((version) => versionRows(of, version, restore(version))));
    } catch (error) {
      body.replaceChildren(noneRow(columns, error.message));
    }
  }
  async function bringBack(of, { version }) {
    try {
      await call("POST", `${of}/versions/${version}/restore`, undefined, { ifMatch: "*" });
      await onRestored(version);
      await load();
    } catch (error) {
      body.prepend(noneRow(columns, error.message));
    }
  }
  return {
    show(path) {
      shown = path;
      body.replaceChildren();
      load();
    },
    load,
  };
}

/** A version, and below it what differs from the one before, once it is asked for. @param restore  null: it is the present one */
function versionRows(path, { version, action, actor, at }, restore) {
  const what = cell("Changes");
  const row = make("tr", {}, cell("Version", String(version)), cell("When", dateTime(at)), cell("Who", actor), what);
  const back = restore === null ? null : make("button", { type: "button" }, "Restore");
  back?.setAttribute("aria-label", `Restore version ${version}`);
  back?.addEventListener("click", restore);
  if (action !== "update") {
    what.append(make("span", {}, words[action], " "));
    if (back !== null && action !== "delete") what.append(back);
    return [row];
  }
  const changes = make("td", { colSpan: columns });
  const below = make("tr", { hidden: true, className: "changes" }, changes);
  const button = make("button", { type: "button", "aria-expanded": "false" }, words[action]);
  button.setAttribute("aria-label", `What version ${version} changed`);
  button.addEventListener("click", async () => {
    below.hidden = !below.hidden;
    button.setAttribute("aria-expanded", String(!below.hidden));
    if (below.hidden || changes.hasChildNodes()) return;
    const diff = `${path}/diff?from=${version - 1}&to=${version}`;
    const answer = await call("GET", diff).catch((error) => ({ changes: [], message: error.message }));
    changes.append(make("ul", {}, ...answer.changes.map(changeItem)), answer.message ?? "");
  });
  what.append(button);
  if (back !== null) what.append(" ", back);
  return [row, below];
}

function changeItem({ field, before, after }) {
  return make(
    "li",
    {},
    make("code", {}, field),
    " ",
    make("del", {}, whole("json", before)),
    " → ",
    make("ins", {}, whole("json", after)),
  );
}
