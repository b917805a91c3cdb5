import { deviceLinks } from "./device-list.js";
import { badge, byId, cell, make, noneRow, quiet, refill } from "./dom.js";
import { reasonText } from "./values.js";

const classes = { up: "good", down: "bad", idle: "quiet", unknown: "waiting" };
/** Beyond the first a line has little room left; beyond the second it cannot keep its cycles much longer. */
const busyPercent = 70;
const fullPercent = 90;

/** The lines that devices share: how they are, and how much of their time is taken. */
export function showConnections({ connections, devices }) {
  const rows = connections.map((one) =>
    connectionRow(
      one,
      devices.filter(({ spec }) => spec.connection === one.metadata.name),
    ),
  );
  refill(byId("connections"), rows.length === 0 ? [noneRow(7)] : rows);
  const alone = devices.filter(({ spec }) => typeof spec.connection !== "string");
  const note = byId("lines-alone");
  note.hidden = alone.length === 0;
  refill(note, [make("span", {}, "Devices with a line of their own: "), ...deviceLinks(alone)]);
}

function connectionRow({ metadata, spec, status }, devices) {
  const { state, load } = status;
  const names = make("td", { className: "name" }, metadata.displayName ?? metadata.name, " ", quiet(spec.protocol));
  const states = cell("State", badge(classes[state], state));
  const why = reasonText(status);
  if (why !== "") states.append(make("p", { className: state === "down" ? "bad" : "quiet" }, why));
  const rate = load.requestsPerSecond === null ? quiet("not known") : decimals(load.requestsPerSecond);
  const on = cell("Devices", ...(devices.length === 0 ? [quiet("none")] : deviceLinks(devices)));
  on.className = "links";
  return make(
    "tr",
    {},
    names,
    cell("Gateway", spec.node),
    states,
    loadCell("Predicted load", load.predictedPercent, metadata.name),
    loadCell("Measured load", load.measuredPercent, metadata.name),
    cell("Requests/s", rate),
    on,
  );
}

function loadCell(label, percent, name) {
  if (percent === null) return cell(label, quiet("not known"));
  const meter = make("meter", { min: 0, max: 100, optimum: 0, low: busyPercent, high: fullPercent, value: percent });
  meter.setAttribute("aria-label", `${label} of ${name}`);
  return cell(label, `${decimals(percent)} % `, meter);
}

function decimals(number) {
  return number > 0 && number < 0.1 ? "< 0.1" : String(Number(number.toPrecision(number < 10 ? 2 : 3)));
}
