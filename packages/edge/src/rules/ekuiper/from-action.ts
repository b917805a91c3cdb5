import type { RuleActionSpec } from "@penstock/model";
import { brokerOf } from "./from-broker.ts";
import { takeCommon, takeDelivery } from "./from-delivery.ts";
import { takeHttp } from "./from-http.ts";
import { takeFile, takeInflux, takeInflux2, takeRedis, takeRedisPublish, takeSql } from "./from-store.ts";
import { Props, type Tell } from "./props.ts";
import { takeDynamic } from "./take-dynamic.ts";

/** What is known beside an action. */
export interface ActionSurroundings {
  /** "127.0.0.1:1883" and its like: the gateway's own broker */
  readonly ownBrokers: ReadonlySet<string>;
  /** streams that read this topic of eKuiper's memory */
  readersOf(topic: string): readonly string[];
}
type Take = (props: Props, around: ActionSurroundings) => readonly RuleActionSpec[];

const takers: Readonly<Record<string, Take>> = {
  log: () => [{ log: {} }],
  nop: takeNothing,
  mqtt: takeMqtt,
  memory: takeMemory,
  rest: takeHttp,
  redis: takeRedis,
  redispub: takeRedisPublish,
  influx: takeInflux,
  influx2: takeInflux2,
  sql: takeSql,
  file: takeFile,
};

/** One entry of a rule's `actions`; several sinks in one are several actions, as in eKuiper. */
export function fromAction(action: unknown, path: string, tell: Tell, around: ActionSurroundings): RuleActionSpec[] {
  const outer = new Props(action, path, tell);
  if (typeof action !== "object" || action === null) return [];
  return Object.entries(action).flatMap(([kind, settings]) => {
    const take = takers[kind.toLowerCase()];
    if (take === undefined) {
      outer.refuse(kind, `there is no such sink: it may be ${Object.keys(takers).join(", ")}`);
      return [];
    }
    const props = new Props(settings, `${path}.${kind}`, tell);
    const taken = take(props, around);
    takeCommon(props, kind.toLowerCase());
    return taken;
  });
}

function takeNothing(props: Props): readonly RuleActionSpec[] {
  if (props.flag("log") === true) return [{ log: {} }];
  // A stream that nobody reads: an action has to be there.
  return [{ memory: { stream: "nop" } }];
}

function takeMqtt(props: Props, around: ActionSurroundings): readonly RuleActionSpec[] {
  const topic = takeDynamic(props, "topic");
  const broker = brokerOf(props, around.ownBrokers);
  let qos = props.number("qos") ?? 0;
  if (qos === 2) {
    props.tell("qos", "lossy", "results go at least once: 1 is taken");
    qos = 1;
  }
  const retain = props.flag("retained") ?? false;
  const delivery = takeDelivery(props);
  if (topic === null) return [];
  return [
    {
      mqtt: {
        topic,
        ...(qos === 1 && { qos: 1 as const }),
        ...(retain && { retain }),
        ...(broker !== null && { broker }),
        ...delivery,
      },
    },
  ];
}

function takeMemory(props: Props, around: ActionSurroundings): readonly RuleActionSpec[] {
  const topic = props.text("topic") ?? "";
  if (topic === "" || topic.includes("{{")) {
    props.refuse("topic", "must be a topic without placeholders");
    return [];
  }
  for (const name of ["dataTemplate", "keyField"]) props.refuseIfSet(name, "rows go to other rules as they are");
  props.lose("fields", "rows go to other rules with all their columns");
  props.note("sendSingle", "rows go to other rules one by one");
  const readers = around.readersOf(topic);
  if (readers.length === 0) props.tell("topic", "note", "no stream of TYPE memory reads it now");
  // Ours are found by the stream that reads them, eKuiper's by topic.
  return (readers.length === 0 ? ["nop"] : readers).map((stream) => ({ memory: { stream } }));
}
