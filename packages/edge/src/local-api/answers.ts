import {
  type DesiredProgress,
  type EffectiveMethod,
  type EffectiveProperty,
  formatMicros,
  type LocalHold,
  type LocalMethod,
  type LocalProgress,
  type LocalProperty,
  type Micros,
  type Reading,
  type ValueProgress,
  valueToJson,
} from "@penstock/model";

/** One property as the local API shows it. */
export function propertyAnswer(
  { name: property, type, unit, access, minimum, maximum, localWrites }: EffectiveProperty,
  reading: Reading | undefined,
  wanted: DesiredProgress | undefined,
): LocalProperty {
  return {
    ...{ property, type, unit, access, minimum, maximum, localWrites },
    reported: reading === undefined ? null : readingAnswer(reading),
    ...wantedAnswer(wanted),
  };
}

export function wantedAnswer(wanted: DesiredProgress | undefined): Pick<LocalProperty, "desired" | "local" | "hold"> {
  const { version = 0, cloud = null, local = null, hold = null } = wanted ?? {};
  return {
    desired: cloud === null ? null : { version, ...progressAnswer(cloud) },
    local: local === null ? null : progressAnswer(local),
    hold: hold === null ? null : holdAnswer(hold),
  };
}

export function progressAnswer(progress: ValueProgress): LocalProgress {
  const { state, type, value, reason, message, readBack, takenAt, writtenAt, endedAt } = progress;
  return {
    ...{ state, value: valueToJson(type, value), reason, message, readBack: valueToJson(type, readBack) },
    ...{ takenAt: timeOrNull(takenAt), writtenAt: timeOrNull(writtenAt), endedAt: timeOrNull(endedAt) },
  };
}

export function holdAnswer({ holder, type, value, since, until }: NonNullable<DesiredProgress["hold"]>): LocalHold {
  return { holder, value: valueToJson(type, value), since: formatMicros(since), until: timeOrNull(until) };
}

export function methodAnswer({ name, arguments: given, result, timeoutMs, sets }: EffectiveMethod): LocalMethod {
  return {
    ...{ method: name, arguments: given, resultType: result, timeoutMs },
    sets: sets.map(({ property }) => property),
  };
}

function readingAnswer({ time, type, value, quality, reason }: Reading): LocalProperty["reported"] {
  return { time: formatMicros(time), value: valueToJson(type, value), quality, reason };
}

function timeOrNull(time: Micros | null): string | null {
  return time === null ? null : formatMicros(time);
}
