import { createAlarmsView } from "./alarms-view.js";
import { call, listAll, tenantPath } from "./api.js";
import { showConnections } from "./connections-view.js";
import { showDeviceList } from "./device-list.js";
import { createDeviceView } from "./device-view.js";
import { byId, make } from "./dom.js";
import { showGateways } from "./gateways-view.js";
import { watch } from "./live.js";
import { createRuleView } from "./rule-view.js";
import { isIll, showRules } from "./rules-view.js";
import { createTrend } from "./trend.js";

const refreshMs = 5000;
const views = ["devices", "connections", "rules", "gateways", "alarms"];
let tenant = null;
/** the device shown, by name */
let chosen = null;
let plant = { nodes: [], devices: [], connections: [], rules: [], alarms: [] };
let endWatch = () => {};
let timer = null;

const trend = createTrend(byId("trend"), byId("trend-title"));
let trendOf = null;
const deviceView = createDeviceView({
  onChoose({ device }, property) {
    trendOf = { device, property };
    drawTrend();
  },
});
const ruleView = createRuleView({ onChanged: refresh });
const alarmsView = createAlarmsView();
function drawTrend() {
  if (trendOf === null) return;
  const of = trendOf;
  attempt(() => trend.load(tenant, of, byId("span").value));
}

/** A request of the page: when the login has ended, the login form comes back. */
async function attempt(run) {
  try {
    await run();
  } catch (error) {
    if (error.code === "request/unauthenticated") showLogin();
    else Object.assign(byId("stream"), { textContent: error.message, className: "bad" });
  }
}

function showLogin() {
  stopWatching();
  for (const view of views) byId(`view-${view}`).hidden = true;
  for (const id of ["views", "logout", "tenant-choice"]) byId(id).hidden = true;
  byId("who").textContent = "";
  byId("stream").textContent = "";
  byId("login").hidden = false;
  byId("login-form").elements.user.focus();
}

async function showPlant() {
  const who = await call("GET", "/api/v1/session");
  const tenants = await listAll("/api/v1/tenants");
  byId("who").textContent = who.user;
  for (const id of ["views", "logout"]) byId(id).hidden = false;
  byId("login").hidden = true;
  byId("tenant-choice").hidden = tenants.length < 2;
  const names = tenants.map((one) => one.metadata.name);
  byId("tenant").replaceChildren(...names.map((name) => make("option", { value: name }, name)));
  const first = names.includes(tenant) ? tenant : names.includes("default") ? "default" : names[0];
  if (first === undefined) return;
  byId("tenant").value = first;
  await chooseTenant(first);
}

async function chooseTenant(name) {
  stopWatching();
  tenant = name;
  chosen = null;
  deviceView.clear();
  await refresh();
  endWatch = watch(name, { onEvent: take, onState: (state) => Object.assign(byId("stream"), streamStates[state]) });
  refreshLater();
}
const streamStates = {
  live: { textContent: "live", className: "badge good" },
  lost: { textContent: "connection lost, trying again", className: "badge bad" },
};
function stopWatching() {
  endWatch();
  endWatch = () => {};
  clearTimeout(timer);
}
/** One refresh after the other, however long each takes, and none while nobody looks. */
function refreshLater() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const of = tenant;
    if (!document.hidden) await attempt(refresh);
    if (of === tenant && byId("login").hidden) refreshLater();
  }, refreshMs);
}

/** States that no event carries: gateways, devices, connections, alarms. */
async function refresh() {
  const path = tenantPath(tenant);
  const of = tenant;
  const [nodes, devices, connections, rules, alarms] = await Promise.all([
    listAll(`${path}/nodes`),
    listAll(`${path}/devices`),
    listAll(`${path}/connections`),
    listAll(`${path}/rules`),
    listAll(`${path}/alarms?active=true`),
  ]);
  if (of !== tenant) return;
  plant = { nodes, devices, connections, rules, alarms };
  const away = nodes.filter(({ status }) => status.joined && !status.connected).length;
  byId("gateways-away").textContent = away === 0 ? "" : `${away} away`;
  const ill = rules.filter(({ status }) => status.nodes.some(isIll)).length;
  byId("rules-ill").textContent = ill === 0 ? "" : String(ill);
  byId("alarms-active").textContent = alarms.length === 0 ? "" : String(alarms.length);
  await show();
}

/** The view that the address names, with what is known; `#/devices/tank-01` is a device. */
async function show() {
  const [, named = "", called] = location.hash.split("/");
  const view = views.includes(named) ? named : "devices";
  for (const one of views) byId(`view-${one}`).hidden = one !== view;
  for (const link of byId("views").querySelectorAll("a")) {
    if (link.hash === `#/${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "connections") showConnections(plant);
  else if (view === "gateways") showGateways(plant);
  else if (view === "alarms") await alarmsView.show(tenant);
  else if (view === "rules") await showRule(called === undefined ? null : decodeURIComponent(called));
  else await showDevice(called === undefined ? null : decodeURIComponent(called));
}

/** @param named by the address; null: all of them */
async function showRule(named) {
  const rule = plant.rules.find(({ metadata }) => metadata.name === named);
  byId("rule-list").hidden = rule !== undefined;
  byId("rule").hidden = rule === undefined;
  byId("no-such-rule").hidden = named === null || rule !== undefined;
  byId("no-such-rule").textContent = `No rule is called "${named}".`;
  if (rule === undefined) showRules(plant);
  else await ruleView.show(tenant, rule);
}

/** @param named by the address; null: the one shown before, or the first. A device that is gone is never another one. */
async function showDevice(named) {
  const { devices } = plant;
  const called = (name) => devices.find(({ metadata }) => metadata.name === name);
  const resource = named === null ? (called(chosen) ?? devices[0]) : called(named);
  byId("no-devices").hidden = devices.length > 0;
  byId("no-such-device").hidden = resource !== undefined || devices.length === 0;
  byId("no-such-device").textContent = `No device is called "${named}".`;
  byId("device").hidden = resource === undefined;
  const isNew = resource?.metadata.name !== chosen;
  chosen = resource?.metadata.name ?? null;
  showDeviceList(devices, chosen);
  if (resource === undefined) return;
  if (isNew) await deviceView.load(tenant, resource);
  else {
    deviceView.showStatus(resource);
    await deviceView.refresh();
  }
  trend.draw();
}

function take(kind, data) {
  if (kind === "readings") {
    for (const reading of data.readings) {
      deviceView.take(data.device, reading);
      trend.add(data.device, reading);
    }
  } else if (kind === "twin") deviceView.takeDesired(data);
  else if (kind === "alarm") attempt(refresh);
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { user, password } = event.target.elements;
  byId("login-message").textContent = "";
  try {
    await call("POST", "/api/v1/login", { user: user.value, password: password.value, cookie: true });
    password.value = "";
    await showPlant();
  } catch (error) {
    byId("login-message").textContent = error.message;
  }
});
byId("logout").addEventListener("click", async () => {
  await call("POST", "/api/v1/logout").catch(() => null);
  showLogin();
});
byId("tenant").addEventListener("change", (event) => attempt(() => chooseTenant(event.target.value)));
byId("span").addEventListener("change", drawTrend);
byId("find-device").addEventListener("input", () => showDeviceList(plant.devices, chosen));
addEventListener("hashchange", () => attempt(show));

attempt(showPlant);
