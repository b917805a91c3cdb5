import type { RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { rowText } from "../delivery/body.ts";
import { msOf } from "../delivery/delivery-settings.ts";
import { refused } from "../delivery/peer-error.ts";
import { chosen } from "../row-json.ts";
import { filled } from "../template.ts";

/** What a row is to a Redis server, in its own commands. @throws AppError rules/sink-refused */
export function commandsOf(settings: RuleActionOf<"redis">, row: ObjectValue): readonly (readonly string[])[] {
  const { as = "string", expire } = settings;
  const key = filled(settings.key, row);
  const ms = expire === undefined ? null : String(msOf(expire, 0));
  const pairs = () => {
    const all = Object.entries(chosen(row, settings.fields)).filter(([, value]) => value !== null);
    if (all.length === 0) throw refused(`write "${key}"`, "no column of the row has a value");
    return all.flatMap(([name]) => [name, filled(`\${${name}}`, row)]);
  };
  const expiring = (command: readonly string[]) => (ms === null ? [command] : [command, ["PEXPIRE", key, ms]]);
  switch (as) {
    case "string":
      return [["SET", key, rowText(settings, row), ...(ms === null ? [] : ["PX", ms])]];
    case "list":
      return expiring(["RPUSH", key, rowText(settings, row)]);
    case "hash":
      return expiring(["HSET", key, ...pairs()]);
    case "stream":
      return expiring(["XADD", key, "*", ...pairs()]);
    case "publish":
      return [["PUBLISH", key, rowText(settings, row)]];
  }
}
