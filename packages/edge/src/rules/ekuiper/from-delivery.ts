import type { RuleActionOf } from "@penstock/model";
import { fromTemplate } from "./from-template.ts";
import type { Props } from "./props.ts";

type Delivery = Pick<RuleActionOf<"http">, "send" | "fields" | "template" | "batch" | "retry" | "cache">;

/** The common properties of eKuiper's sinks that say how results go. @source reference 1.4, sink common properties */
export function takeDelivery(props: Props): Delivery {
  const isSingle = props.flag("sendSingle") ?? false;
  const template = takeTemplate(props, isSingle);
  const fields = props.texts("fields");
  const rows = props.number("batchSize");
  const linger = props.ms("lingerInterval");
  const cache = takeCache(props);
  return {
    send: isSingle ? "each" : "list",
    ...(fields !== undefined && fields.length > 0 && { fields: [...fields] }),
    ...(template !== null && { template }),
    ...((rows ?? 0) > 0 || (linger ?? 0) > 0
      ? { batch: { ...((rows ?? 0) > 0 && { rows: rows! }), ...((linger ?? 0) > 0 && { linger: `${linger}ms` }) } }
      : {}),
    ...takeRetry(props),
    ...(cache !== null && { cache }),
  };
}

/** What every sink of eKuiper has, whatever it does. Called last: what is left then is of nobody. */
export function takeCommon(props: Props, kind: string): void {
  props.note("bufferLength", "results wait behind the gateway's own bound");
  if (props.flag("omitIfEmpty") === true) props.tell("omitIfEmpty", "lossy", "a row without columns is sent as {}");
  props.refuseIfSet("dataField", "a part of a result cannot be sent alone: select it in SQL");
  const format = props.text("format");
  if (kind !== "file" && format !== undefined && format !== "" && format.toLowerCase() !== "json")
    props.refuse("format", "results go as JSON");
  for (const name of ["schemaId", "delimiter"])
    props.lose(name, "results go as JSON, and files as JSON or CSV with commas");
  for (const name of ["compression", "encryption"]) props.refuseIfSet(name, "results go as they are");
  props.refuseIfSet("rowkindField", "rows are added, never updated or deleted");
  for (const name of ["resourceId", "connectionSelector"])
    props.refuseIfSet(name, "there are no named configurations: state the settings in the action");
  props.lose("sendNilField", "columns without a value are left out of a result");
  props.note("concurrency", "results go in order");
  props.note("runAsync", "results go in order");
  props.note("debugResp", "what could not be delivered stands in the status");
  // A sink that others may not use is taken out of the delivery that its own fields are for.
  for (const name of ["sendSingle", "dataTemplate", "fields", "batchSize", "lingerInterval"])
    if (props.has(name)) props.take(name);
  props.end();
}

function takeTemplate(props: Props, isSingle: boolean): string | null {
  const text = props.text("dataTemplate");
  if (text === undefined || text === "") return null;
  const translated = fromTemplate(text);
  if (translated.is === "whole") return null;
  if (translated.is === "refused") {
    props.refuse("dataTemplate", translated.why);
    return null;
  }
  if (isSingle) return translated.text;
  props.refuse("dataTemplate", "it gets a list of rows: write {{toJson .}}, or set sendSingle");
  return null;
}

function takeRetry(props: Props): Pick<Delivery, "retry"> {
  const attempts = props.number("retryCount");
  const first = props.ms("retryInterval");
  if ((attempts ?? 0) <= 0 && (first ?? 0) <= 0) return {};
  return {
    retry: {
      ...(attempts !== undefined && attempts > 0 && { attempts: Math.min(1000, Math.trunc(attempts)) }),
      ...(first !== undefined && first > 0 && { first: `${first}ms` }),
    },
  };
}

function takeCache(props: Props): NonNullable<Delivery["cache"]> | null {
  const isOn = props.flag("enableCache") ?? false;
  const priority = props.number("resendPriority") ?? 0;
  for (const name of ["memoryCacheThreshold", "bufferPageSize", "maxDiskCache"])
    props.note(name, "what waits is bounded in bytes: 16 MiB of disk for an action");
  for (const name of [
    "resendInterval",
    "cleanCacheAtStop",
    "resendAlterQueue",
    "resendIndicatorField",
    "resendDestination",
  ])
    props.lose(name, "what waited is sent again as it is");
  if (!isOn) return null;
  if (priority === 0 && props.has("resendPriority"))
    props.tell("resendPriority", "lossy", "what waited goes first: there are no equal turns");
  return { order: priority < 0 ? "newest-first" : "oldest-first" };
}
