import { AppError, argumentsFromJson, parseDuration } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { deviceNamed } from "./find-device.ts";
import { eachRow } from "./in-turn.ts";
import { wantedJson } from "./property-value.ts";
import type { OpenSink } from "./sink-parts.ts";
import { filled, filledValue } from "./template.ts";

/** A method called for each row, one after the other, each at most once. */
export const openCall: OpenSink<"call"> = (settings, parts) => {
  const { site } = parts;
  return eachRow(parts, async (row) => {
    const device = deviceNamed(site, filled(settings.device, row));
    const name = filled(settings.method, row);
    const method = device.methods.find((one) => one.name === name);
    if (method === undefined) {
      throw new AppError("twin/unknown-method", `Device "${device.name}" has no method "${name}"`);
    }
    const values = filledValue(settings.arguments ?? {}, row) as ObjectValue;
    const types = new Map(method.arguments.map((one) => [one.name, one.type]));
    const given = Object.fromEntries(
      // Of no known argument it is handed on as it is: the check names it.
      Object.entries(values).map(([key, value]) => [key, wantedJson(types.get(key) ?? "json", value)]),
    );
    const ttlMs = settings.ttl === undefined ? method.timeoutMs : parseDuration(settings.ttl)!;
    const call = { device: device.uid, method: name, arguments: argumentsFromJson(method, given), ttlMs };
    const { state, message } = await site.twin.callHere(call);
    if (state === "done") return;
    const why = message ?? "no reason is known";
    throw new AppError("rules/action-failed", `Call of "${device.name}.${name}" ended ${state}: ${why}`);
  });
};
