import { badge, cell, make, quiet, refill } from "./dom.js";
import { createSetForm } from "./set-form.js";
import { unitText } from "./unit-text.js";
import { clockTime, durationText, show, whole } from "./values.js";

/** One property of a device: its value as it comes, how often it comes, and how to set it. */
export function createPropertyRow(property, { tenant, device, onChoose }) {
  const name = make("button", { type: "button", "aria-pressed": "false" }, property.displayName ?? property.property);
  name.addEventListener("click", () => onChoose(property));
  const value = make("span", { className: "value" }, "–");
  const quality = cell("Quality", quiet("–"));
  const collected = cell("Collected");
  const reported = cell("Reported");
  const setting = property.access === "read" ? null : createSetForm(property, { tenant, device });

  const names = make("td", { className: "name" }, name);
  if (property.displayName !== null) names.append(" ", quiet(property.property));
  const isText = ["string", "bytes", "json"].includes(property.type);
  const amount = make("td", { className: isText ? "number text" : "number" }, value);
  if (property.unit !== null) amount.append(" ", make("span", { className: "unit" }, unitText(property.unit)));
  const set = make("td", { className: "set" }, ...(setting?.elements ?? []));
  const element = make("tr", {}, names, amount, quality, collected, reported, set);

  function fill(reading) {
    value.textContent = show(reading.type, reading.value);
    value.title = whole(reading.type, reading.value);
    refill(quality, [
      badge(reading.quality, reading.quality),
      ...(reading.reason === null ? [] : [make("small", {}, reading.reason)]),
      quiet(make("time", { dateTime: reading.time, title: reading.time }, clockTime(reading.time))),
    ]);
  }
  /** @param cycle of the device's status, with the same cadence; undefined until the gateway has measured it */
  function fillCycle(cycle) {
    if (property.collect === null) return;
    refill(collected, [make("span", {}, property.collect), ...measured(cycle)]);
    const reportMs = cycle?.reportMs ?? null;
    refill(reported, [
      make("span", {}, property.report),
      ...(reportMs === null ? [] : [quiet(`measured ${durationText(reportMs)}`)]),
    ]);
  }
  if (property.reported !== null) fill(property.reported);
  fillCycle(undefined);
  return {
    element,
    property,
    fill,
    fillCycle,
    takeDesired: (desired) => setting?.takeDesired(desired),
    takeHold: (hold) => setting?.takeHold(hold),
    isChosen: (is) => name.setAttribute("aria-pressed", String(is)),
  };
}

function measured(cycle) {
  if (cycle === undefined) return [];
  const { measuredMs, longestMs, overruns, isOverrun } = cycle;
  const texts = [];
  if (measuredMs !== null) {
    const text = quiet(`measured ${durationText(measuredMs)}`);
    if (longestMs !== null) text.title = `at longest ${durationText(longestMs)}`;
    texts.push(text);
  }
  if (isOverrun) texts.push(badge("bad", `overrun, ${overruns} skipped`));
  else if (overruns > 0) texts.push(quiet(`${overruns} skipped`));
  return texts;
}
