import {
  type AlarmAct,
  type AlarmActOutcome,
  type AlarmTransition,
  alarmActKinds,
  alarmStates,
  alarmTransitionKinds,
  type DeviceUid,
  limits,
  type Micros,
  type RuleUid,
  type Shelving,
  severities,
} from "@penstock/model";
import { bad, type Check, errorCode, hex32, isCounter, list, oneOf, orNull, shape, text } from "./link-check.ts";

/** What happened to alarms of rules, and what people do about them: as they stand in messages of the link. */

const micros: Check<Micros> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) ? (value as Micros) : bad(path, "whole microseconds");
const rule = text<RuleUid>(64);
const key = text(256);
const comment = orNull(text(limits.alarmCommentChars));

export const alarmEpoch = hex32<string>();
export const alarmNumbers = list(isCounter, limits.alarmTransitionsTold);

const transition = shape<AlarmTransition>({
  number: isCounter,
  occurrence: isCounter,
  kind: oneOf(alarmTransitionKinds),
  time: micros,
  rule,
  ruleName: text(64),
  alarm: text(64),
  key,
  device: orNull(text<DeviceUid>(64)),
  severity: oneOf(severities),
  message: text(1024),
  state: oneOf(alarmStates),
  count: isCounter,
  shelving: orNull(shape<Shelving>({ until: orNull(micros), by: text(256) })),
  who: orNull(text(256)),
  comment,
  escalated: isCounter,
});
export const alarmTransitions = list(transition, limits.alarmTransitionsTold);

const act = shape<AlarmAct>({
  id: hex32(),
  kind: oneOf(alarmActKinds),
  rule,
  alarm: text(64),
  key,
  occurrence: isCounter,
  who: text(256),
  comment,
  until: orNull(micros),
});
export const alarmActs = list(act, limits.alarmActsPerNode);

const outcome = shape<AlarmActOutcome>({ id: hex32(), reason: orNull(errorCode) });
export const alarmOutcomes = list(outcome, limits.alarmActsPerNode);
