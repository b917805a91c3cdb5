import { badge, make, quiet } from "./dom.js";
import { momentText, reasonText, whole, withUnit } from "./values.js";

const classes = { confirmed: "good", written: "good", failed: "bad", expired: "bad", superseded: "quiet" };

/** What became of the last value that somebody set, here or elsewhere: its state, why, and when each step was. */
export function desiredState(desired, unit) {
  const { type, value, state, readBack } = desired;
  const isHeld = desired.reason === "twin/held";
  const headline = make(
    "p",
    {},
    badge(classes[state] ?? (isHeld ? "uncertain" : "waiting"), state),
    ` ${withUnit(whole(type, value), unit)}`,
  );
  if (state === "confirmed") headline.append(`, read back as ${withUnit(whole(type, readBack), unit)}`);
  const parts = [headline];
  const why = reasonText(desired);
  if (why !== "") parts.push(make("p", { className: isHeld ? "uncertain" : (classes[state] ?? "quiet") }, why));
  const steps = stepsOf(desired).map(([word, time]) => make("li", {}, `${word} `, timeOf(time)));
  parts.push(make("ol", { className: "steps", "aria-label": "Steps" }, ...steps));
  return parts;
}

function stepsOf({ state, setBy, setAt, sentAt, writtenAt, endedAt, updatedAt, expiresAt }) {
  const steps = [[`set by ${setBy}`, setAt]];
  if (sentAt !== null) steps.push(["sent", sentAt]);
  if (writtenAt !== null) steps.push(["written", writtenAt]);
  if (state === "pending" || state === "sent") steps.push(["waits until", expiresAt]);
  else if (state !== "written") steps.push([state, endedAt ?? updatedAt]);
  return steps;
}

function timeOf(time) {
  return make("time", { dateTime: time, title: time }, momentText(time));
}

/** Who keeps the cloud's values waiting, and with what. */
export function holdState({ holder, type, value, since, until }, unit) {
  const end = until === null ? "until released" : `until ${momentText(until)}`;
  return [
    make("p", {}, badge("uncertain", "held"), ` at ${withUnit(whole(type, value), unit)} by ${holder}`),
    quiet(`at the gateway since ${momentText(since)}, ${end}; a value set here waits`),
  ];
}
