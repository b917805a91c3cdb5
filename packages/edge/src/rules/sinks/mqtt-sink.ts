import { AppError, checkTopic } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { eachRow, inTurn } from "./in-turn.ts";
import { chosen, jsonOf } from "./row-json.ts";
import type { OpenSink } from "./sink-parts.ts";
import { filled } from "./template.ts";

/** Messages at the gateway's own broker: one a row, or with `send: list` one a result. */
export const openMqttHere: OpenSink<"mqtt"> = (settings, parts) => {
  const { topic, qos = 0, retain = false, send = "each", fields, template } = settings;
  const publish = (payload: string, row: ObjectValue) => {
    const to = filled(topic, row);
    const [fault] = checkTopic(to, "topic");
    if (fault !== undefined)
      throw new AppError("rules/action-failed", `Cannot publish at ${fault.value}: ${fault.rule}`);
    return parts.site.publish({ topic: to, payload: Buffer.from(payload), qos, retain });
  };
  const textOf = (row: ObjectValue) => (template === undefined ? jsonOf(chosen(row, fields)) : filled(template, row));
  if (send === "each") return eachRow(parts, (row) => publish(textOf(row), row));
  return inTurn(parts, ({ rows }) => publish(`[${rows.map(textOf).join(",")}]`, rows[0]!));
};
