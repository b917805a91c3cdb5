import { AppError, type EffectiveRule, type RuleActionKind, type RuleActionSpec } from "@penstock/model";
import { openAlarm } from "./alarm-sink.ts";
import { openCall } from "./call-sink.ts";
import { openFile } from "./file/file-sink.ts";
import { openHttp } from "./http/http-sink.ts";
import { openInflux } from "./influx/influx-sink.ts";
import { openLog } from "./log-sink.ts";
import { openMemory } from "./memory-sink.ts";
import { openMqttElsewhere } from "./mqtt-broker/mqtt-broker-sink.ts";
import { openMqttHere } from "./mqtt-sink.ts";
import { openRedis } from "./redis/redis-sink.ts";
import { openSeries } from "./series-sink.ts";
import type { Sink } from "./sink.ts";
import type { OpenSink, SinkParts } from "./sink-parts.ts";
import { openSql } from "./sql/sql-sink.ts";
import { openWrite } from "./write-sink.ts";

/** What opens each kind of action; a kind that is not here is refused with its rule. */
const openers: { readonly [K in RuleActionKind]: OpenSink<K> } = {
  log: openLog,
  mqtt: (settings, parts) => (settings.broker === undefined ? openMqttHere : openMqttElsewhere)(settings, parts),
  series: openSeries,
  write: openWrite,
  call: openCall,
  memory: openMemory,
  alarm: openAlarm,
  http: openHttp,
  influx: openInflux,
  redis: openRedis,
  sql: openSql,
  file: openFile,
};

/** @throws AppError rules/unknown-action for a kind that this gateway does not have */
function openSink(action: RuleActionSpec, parts: SinkParts): Sink {
  const [[kind, settings] = ["nothing", {}]] = Object.entries(action);
  // The settings of a kind are those that its opener takes: the schema of a rule says so.
  const open = openers[kind as RuleActionKind] as OpenSink<"log"> | undefined;
  if (open === undefined) throw new AppError("rules/unknown-action", `This gateway has no action "${kind}"`);
  return open(settings as object, parts);
}

/** The actions of a rule, in their order. @throws AppError rules/unknown-action */
export function openSinks(rule: EffectiveRule, parts: Omit<SinkParts, "rule" | "uid" | "action">): readonly Sink[] {
  const log = parts.log.with({ rule: rule.name });
  return rule.actions.map((action, at) =>
    openSink(action, { ...parts, log, rule: rule.name, uid: rule.uid, action: at }),
  );
}
