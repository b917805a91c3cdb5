import { badge, byId, make, refill } from "./dom.js";

/** So many are listed; beyond them the field above finds the rest. */
const listedMost = 200;
const findFrom = 10;
const classes = { online: "good", offline: "bad" };

/** Where a device's view is; the page finds its way by the part of the address that never reaches the server. */
export const deviceAddress = (name) => `#/devices/${encodeURIComponent(name)}`;

export function deviceLink({ metadata, status }) {
  const { name, displayName } = metadata;
  const state = badge(classes[status.state] ?? "waiting", "");
  state.title = status.state;
  return make("a", { href: deviceAddress(name), title: name }, state, displayName ?? name);
}
export function deviceLinks(devices) {
  const links = devices.slice(0, listedMost).map(deviceLink);
  const more = devices.length - links.length;
  return more === 0 ? links : [...links, make("span", { className: "quiet" }, `and ${more} more`)];
}

/** The devices of the tenant with their presence; each is a link, so that a view can be kept and sent on. */
export function showDeviceList(devices, chosen) {
  const find = byId("find-device");
  byId("find-device-box").hidden = devices.length < findFrom;
  const text = find.value.trim().toLowerCase();
  const found = devices.filter(({ metadata: { name, displayName } }) =>
    `${name} ${displayName ?? ""}`.toLowerCase().includes(text),
  );
  const items = found.slice(0, listedMost).map(({ metadata, status }) => {
    const { name, displayName } = metadata;
    const link = make(
      "a",
      { href: deviceAddress(name), title: status.message ?? status.reason ?? "" },
      make("span", { className: "device-name" }, displayName ?? name),
      badge(classes[status.state] ?? "waiting", status.state),
    );
    if (name === chosen) link.setAttribute("aria-current", "page");
    return make("li", {}, link);
  });
  refill(byId("devices"), items);
}
