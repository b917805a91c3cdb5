import { call, devicePath } from "./api.js";
import { byId, cell, make, noneRow } from "./dom.js";
import { whole } from "./values.js";

const rowsMost = 500;
const columns = 3;

/** Every setting of a device as it counts in the end, and who says so; asked for when somebody looks. */
export function createOrigins(details) {
  const find = byId("find-setting");
  const withDefaults = byId("with-defaults");
  let shown = null;
  let fields = [];
  details.addEventListener("toggle", load);
  find.addEventListener("input", draw);
  withDefaults.addEventListener("change", draw);

  async function load() {
    if (!details.open || shown === null) return;
    const of = shown;
    try {
      const answer = await call("GET", `${devicePath(of.tenant, of.device)}/effective`);
      if (shown !== of) return;
      fields = answer.fields;
      draw();
    } catch (error) {
      byId("origins-note").textContent = error.message;
    }
  }

  function draw() {
    const text = find.value.trim().toLowerCase();
    const wanted = fields.filter(
      ({ field, origin }) =>
        (withDefaults.checked || !origin.endsWith("default")) && field.toLowerCase().includes(text),
    );
    const rows = wanted
      .slice(0, rowsMost)
      .map((one) =>
        make(
          "tr",
          {},
          make("td", { className: "name" }, make("code", {}, one.field)),
          cell("Value", make("code", {}, typeof one.value === "string" ? one.value : whole("json", one.value))),
          cell("From", make("span", { className: `origin ${one.origin.split(" ")[0]}` }, originText(one))),
        ),
      );
    byId("origins-rows").replaceChildren(
      ...(rows.length === 0 ? [noneRow(columns, fields.length === 0 ? "…" : "none")] : rows),
    );
    byId("origins-note").textContent = fields.length === 0 ? "" : `${rows.length} of ${fields.length} settings shown`;
  }

  return {
    show(of) {
      shown = of;
      fields = [];
      find.value = "";
      draw();
      load();
    },
  };
}

function originText({ origin, from }) {
  if (origin === "device") return "this device";
  return from === null ? origin : `${origin} ${from}`;
}
