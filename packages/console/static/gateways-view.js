import { deviceLink } from "./device-list.js";
import { badge, byId, cell, make, noneRow, quiet, refill } from "./dom.js";
import { dateTime, durationText, momentText } from "./values.js";

const day = 86_400_000;
/** Gateways renew their certificates ten days before the end; one that has not is in trouble. */
const renewalMs = 7 * day;

/** Gateways: whether they are there, what waits in them, which cycles they cannot keep and what alarms they raise. */
export function showGateways({ nodes, devices, alarms }) {
  const rows = nodes.map((node) => {
    const { name } = node.metadata;
    return gatewayRow(node, {
      devices: devices.filter(({ spec }) => spec.node === name),
      alarms: alarms.filter((alarm) => alarm.node === name),
    });
  });
  refill(byId("nodes"), rows.length === 0 ? [noneRow(6)] : rows);
}

function gatewayRow({ metadata, status }, { devices, alarms }) {
  const { outbox, agentVersion } = status;
  const names = make("td", { className: "name" }, metadata.displayName ?? metadata.name);
  if (agentVersion !== null) names.append(" ", quiet(`agent ${agentVersion}`));
  const waits = cell("Outbox");
  if (outbox === null) waits.append(quiet("not known"));
  else {
    waits.append(`${outbox.readings} waiting`);
    if (outbox.readings > 0) waits.append(" ", quiet(`oldest ${durationText(outbox.oldestAgeMs)}`));
    if (outbox.full) waits.append(" ", badge("bad", "full"));
    if (outbox.dropped > 0) waits.append(make("p", { className: "bad" }, `${outbox.dropped} dropped`));
    if (outbox.refused > 0) waits.append(make("p", { className: "bad" }, `${outbox.refused} refused`));
  }
  const online = devices.filter((device) => device.status.state === "online").length;
  return make(
    "tr",
    {},
    names,
    presenceCell(status),
    cell("Devices", `${online} of ${devices.length} online`),
    waits,
    listCell("Overrunning cycles", overruns(devices)),
    listCell("Alarms", alarms.map(alarmItem)),
  );
}

function presenceCell({ connected, joined, lastSeenAt, certificateExpiresAt }) {
  const state = connected ? "connected" : joined ? "not connected" : "never joined";
  const there = cell("Presence", badge(connected ? "good" : joined ? "bad" : "waiting", state));
  const why = connected
    ? `heard of at ${momentText(lastSeenAt)}`
    : !joined
      ? "no machine has joined under this name yet"
      : lastSeenAt === null
        ? "it has joined, and never connected"
        : `its link is down; last heard of at ${momentText(lastSeenAt)}`;
  there.append(make("p", { className: "quiet" }, why));
  if (certificateExpiresAt !== null && Date.parse(certificateExpiresAt) - Date.now() < renewalMs) {
    there.append(make("p", { className: "bad" }, `its certificate ends ${dateTime(certificateExpiresAt)}`));
  }
  return there;
}

function overruns(devices) {
  return devices.flatMap((device) =>
    device.status.cycles
      .filter(({ isOverrun }) => isOverrun)
      .map(({ cadence, measuredMs, overruns: skipped }) => {
        const takes = measuredMs === null ? "does not run" : `takes ${durationText(measuredMs)}`;
        return make("li", {}, deviceLink(device), ` ${cadence}, ${takes}, ${skipped} skipped`);
      }),
  );
}

function alarmItem({ code, severity, message }) {
  return make("li", {}, make("code", { className: "bad" }, code), ` ${message} `, quiet(severity));
}

function listCell(label, items) {
  return cell(label, items.length === 0 ? quiet("none") : make("ul", {}, ...items));
}
