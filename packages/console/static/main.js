import { call, listAll, tenantPath } from "./api.js";
import { createDeviceView } from "./device-view.js";
import { byId, make, noneRow } from "./dom.js";
import { watch } from "./live.js";
import { createTrend } from "./trend.js";
import { clockTime, dateTime } from "./values.js";

const refreshMs = 5000;
let tenant = null;
let chosen = null;
let endWatch = () => {};
let timer = null;

const trend = createTrend(byId("trend"), byId("trend-title"));
let trendOf = null;
const deviceView = createDeviceView({
  onChoose({ device, title }, property) {
    trendOf = { device, title, property };
    drawTrend();
  },
});
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
    else byId("stream").textContent = error.message;
  }
}

function showLogin() {
  stopWatching();
  byId("plant").hidden = true;
  byId("logout").hidden = true;
  byId("tenant-choice").hidden = true;
  byId("who").textContent = "";
  byId("stream").textContent = "";
  byId("login").hidden = false;
  byId("login-form").elements.user.focus();
}

async function showPlant() {
  const who = await call("GET", "/api/v1/session");
  const tenants = await listAll("/api/v1/tenants");
  byId("who").textContent = who.user;
  byId("logout").hidden = false;
  byId("login").hidden = true;
  byId("plant").hidden = false;
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
  timer = setInterval(() => attempt(refresh), refreshMs);
}
const streamStates = {
  live: { textContent: "live", className: "good" },
  lost: { textContent: "connection lost, trying again", className: "bad" },
};
function stopWatching() {
  endWatch();
  endWatch = () => {};
  clearInterval(timer);
}

/** States that no event carries: gateways, devices, alarms. */
async function refresh() {
  const path = tenantPath(tenant);
  const [nodes, devices, alarms] = await Promise.all([
    listAll(`${path}/nodes`),
    listAll(`${path}/devices`),
    call("GET", `${path}/alarms?limit=50`),
  ]);
  byId("nodes").replaceChildren(...(nodes.length === 0 ? [noneRow(5)] : nodes.map(nodeRow)));
  showDevices(devices);
  byId("alarms").replaceChildren(...(alarms.items.length === 0 ? [noneRow(7)] : alarms.items.map(alarmRow)));
  if (chosen === null && devices.length > 0) await chooseDevice(devices[0].metadata);
  trend.draw();
}

function nodeRow({ metadata, status }) {
  const state = status.connected ? "connected" : status.joined ? "not connected" : "never joined";
  return make(
    "tr",
    {},
    make("td", {}, metadata.displayName ?? metadata.name),
    make("td", { className: status.connected ? "good" : "bad" }, state),
    make("td", {}, clockTime(status.lastSeenAt)),
    make("td", { className: "number", "data-label": "Waiting" }, String(status.outbox?.readings ?? "–")),
    make("td", { className: "number", "data-label": "Dropped" }, String(status.outbox?.dropped ?? "–")),
  );
}

/** Buttons are kept while they stay the same, so that the keyboard's place is not lost at each refresh. */
function showDevices(devices) {
  const list = byId("devices");
  const names = devices.map((one) => one.metadata.name);
  const before = [...list.querySelectorAll("button")];
  if (before.map((one) => one.dataset.device).join() !== names.join()) {
    list.replaceChildren(
      ...devices.map(({ metadata }) => {
        const button = make("button", { type: "button" }, metadata.displayName ?? metadata.name, " ", make("small"));
        button.dataset.device = metadata.name;
        button.addEventListener("click", () => attempt(() => chooseDevice(metadata)));
        return make("li", {}, button);
      }),
    );
  }
  for (const button of list.querySelectorAll("button")) {
    const { status } = devices.find((one) => one.metadata.name === button.dataset.device);
    const state = button.querySelector("small");
    state.textContent = status.state;
    state.className = status.state === "online" ? "good" : status.state === "offline" ? "bad" : "quiet";
    button.title = status.reason ?? "";
    button.setAttribute("aria-pressed", String(button.dataset.device === chosen));
  }
}

async function chooseDevice({ name, displayName }) {
  chosen = name;
  for (const button of byId("devices").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.device === name));
  }
  await deviceView.load(tenant, name, displayName);
}

function alarmRow(alarm) {
  return make(
    "tr",
    {},
    make("td", {}, dateTime(alarm.raisedAt)),
    make("td", {}, alarm.node ?? "–"),
    make("td", {}, alarm.code),
    make("td", { className: alarm.clearedAt === null ? "bad" : "quiet" }, alarm.severity),
    make("td", { className: "message" }, alarm.message),
    make("td", { className: "number", "data-label": "Count" }, String(alarm.count)),
    make("td", { "data-label": "Cleared" }, dateTime(alarm.clearedAt)),
  );
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

attempt(showPlant);
