import { call, tenantPath } from "./api.js";
import { badge, byId, cell, make, noneRow, refill } from "./dom.js";
import { dateTime, momentText } from "./values.js";

const alarmsShown = 50;

/** The latest alarms, those that are over too. */
export async function showAlarms(tenant) {
  const { items } = await call("GET", `${tenantPath(tenant)}/alarms?limit=${alarmsShown}`);
  refill(byId("alarms"), items.length === 0 ? [noneRow(6)] : items.map(alarmRow));
}

const classes = { critical: "bad", major: "bad", minor: "uncertain", warning: "uncertain" };

function alarmRow({ raisedAt, node, device, source, rule, alarm, code, severity, message, count, clearedAt }) {
  return make(
    "tr",
    {},
    cell("Raised", dateTime(raisedAt)),
    cell("Gateway", device === null ? (node ?? "–") : `${node ?? "–"} / ${device}`),
    cell(
      "State",
      clearedAt === null ? badge(classes[severity], severity) : badge("quiet", `cleared ${momentText(clearedAt)}`),
    ),
    cell("Code", make("code", {}, source === "rule" ? `${rule}/${alarm}` : code)),
    make("td", { className: "message" }, message),
    make("td", { className: "number", "data-label": "Count" }, String(count)),
  );
}
