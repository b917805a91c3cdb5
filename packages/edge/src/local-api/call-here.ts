import {
  AppError,
  argumentsFromJson,
  invalid,
  isObject,
  type LocalCallAnswer,
  limits,
  shown,
  valueToJson,
} from "@penstock/model";
import { deviceAt, methodOf } from "./find-device.ts";
import type { LocalSite } from "./local-site.ts";
import { durationIn } from "./read-request.ts";
import type { Answer, Asked } from "./routes.ts";

/** The call ends by its own time; only a gateway that stops does not wait for it. */
const graceMs = 60_000;

/**
 * Calls a method, at most once, and answers with its end. Nothing of it is kept: who hangs up does not learn what became of
 * it, and asking again is another call.
 *
 * @throws AppError of the reason when it ended other than done
 */
export async function callHere(site: LocalSite, { params, body, wait }: Asked): Promise<Answer<LocalCallAnswer>> {
  const device = deviceAt(site, params.device!);
  const method = methodOf(device, params.method!);
  const { arguments: given = {} } = body;
  if (!isObject(given)) throw invalid([{ field: "arguments", value: shown(given), rule: "must be an object" }]);
  const ttlMs = durationIn(body, "timeout", {
    ...{ least: 100, most: limits.methodTimeoutMaxMs, otherwise: method.timeoutMs },
  });
  const call = { device: device.uid, method: method.name, arguments: argumentsFromJson(method, given), ttlMs };
  const outcome = await wait(site.twin.callHere(call), ttlMs + graceMs);
  if (outcome === null)
    throw new AppError("twin/outcome-unknown", `The gateway stops, and "${method.name}" may be under way`);
  const { state, reason, message, type, value, steps } = outcome;
  if (state !== "done") {
    const each = steps.map((step) => `${step.property} ${step.state}`).join(", ");
    const why = `${message ?? "no reason is known"}${each === "" ? "" : ` (${each})`}`;
    throw new AppError(reason ?? "twin/outcome-unknown", `Call of "${method.name}" ended ${state}: ${why}`);
  }
  const result = type === null ? null : valueToJson(type, value);
  return { status: 200, body: { device: device.name, method: method.name, state, resultType: type, result, steps } };
}
