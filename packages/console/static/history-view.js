import { call, devicePath } from "./api.js";
import { byId, cell, make, noneRow } from "./dom.js";
import { dateTime, whole } from "./values.js";

const versionsShown = 20;
const columns = 4;
const words = { create: "created", update: "changed", delete: "deleted" };

/** Every stored state of a device, the newest first, with what each changed; asked for when somebody looks. */
export function createHistory(details) {
  let shown = null;
  details.addEventListener("toggle", load);

  async function load() {
    if (!details.open || shown === null) return;
    const of = shown;
    const body = byId("history-rows");
    try {
      const { items } = await call("GET", `${devicePath(of.tenant, of.device)}/versions?limit=${versionsShown}`);
      if (shown !== of) return;
      body.replaceChildren(...items.flatMap((version) => versionRows(of, version)));
    } catch (error) {
      body.replaceChildren(noneRow(columns, error.message));
    }
  }
  return {
    show(of) {
      shown = of;
      byId("history-rows").replaceChildren();
      load();
    },
  };
}

/** A version, and below it what differs from the one before, once it is asked for. */
function versionRows({ tenant, device }, { version, action, actor, at }) {
  const what = cell("Changes");
  const row = make("tr", {}, cell("Version", String(version)), cell("When", dateTime(at)), cell("Who", actor), what);
  if (action !== "update") {
    what.append(words[action]);
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
    const path = `${devicePath(tenant, device)}/diff?from=${version - 1}&to=${version}`;
    const answer = await call("GET", path).catch((error) => ({ changes: [], message: error.message }));
    changes.append(make("ul", {}, ...answer.changes.map(changeItem)), answer.message ?? "");
  });
  what.append(button);
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
