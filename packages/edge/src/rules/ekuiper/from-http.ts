import type { RuleActionSpec } from "@penstock/model";
import { takeDelivery } from "./from-delivery.ts";
import { fromTemplate } from "./from-template.ts";
import type { Props } from "./props.ts";
import { takeDynamic } from "./take-dynamic.ts";

const methods = ["POST", "PUT", "PATCH"] as const;

/** eKuiper's `rest` sink. */
export function takeHttp(props: Props): readonly RuleActionSpec[] {
  const url = takeDynamic(props, "url");
  const said = (props.text("method") ?? "POST").toUpperCase();
  const method = methods.find((one) => one === said);
  if (method === undefined) props.refuse("method", `must be ${methods.join(", ")}: a result is sent as a body`);
  const body = (props.text("bodyType") ?? "json").toLowerCase();
  if (body !== "json" && body !== "text") props.refuse("bodyType", "must be json or text");
  const timeout = props.ms("timeout");
  const headers = takeHeaders(props);
  props.refuseIfSet("oAuth", "tokens are not fetched: state a header");
  for (const name of ["certificationPath", "privateKeyPath", "rootCaPath"])
    props.refuseIfSet(name, "certificates of a client are not offered");
  if (props.flag("insecureSkipVerify") === true)
    props.tell("insecureSkipVerify", "lossy", "certificates are always checked");
  props.note("responseType", "a status of 200 to 299 is success");
  const delivery = takeDelivery(props);
  if (url === null || method === undefined) return [];
  return [
    {
      http: {
        url,
        method,
        ...(headers !== null && { headers }),
        ...(timeout !== undefined && timeout > 0 && { timeout: `${timeout}ms` }),
        ...delivery,
      },
    },
  ];
}

/** @returns null: none, or told as refused */
export function takeHeaders(props: Props): Record<string, string> | null {
  const value = props.take("headers");
  if (value === undefined || value === "") return null;
  const given = typeof value === "string" ? parsed(value) : value;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    props.refuse("headers", "must be an object of texts");
    return null;
  }
  const headers: Record<string, string> = {};
  for (const [name, one] of Object.entries(given)) {
    const translated = typeof one === "string" ? fromTemplate(one) : null;
    if (translated?.is !== "template" || !/^[A-Za-z0-9-]{1,64}$/.test(name)) {
      props.refuse("headers", `"${name}" cannot be sent${translated?.is === "refused" ? `: ${translated.why}` : ""}`);
      return null;
    }
    headers[name] = translated.text;
  }
  return Object.keys(headers).length === 0 ? null : headers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
