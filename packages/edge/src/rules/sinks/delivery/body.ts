import type { ObjectValue } from "@penstock/rules";
import { chosen, jsonOf } from "../row-json.ts";
import { filled } from "../template.ts";
import type { Parcel } from "./courier.ts";
import type { DeliverySpec } from "./delivery-settings.ts";

/** What stands for a row in a message: JSON of its chosen columns, or the template. */
export function rowText({ fields, template }: DeliverySpec, row: ObjectValue): string {
  return template === undefined ? jsonOf(chosen(row, fields)) : filled(template, row);
}

/** A message: the row, or a list of rows; what templates made stands line by line. */
export function bodyOf(spec: DeliverySpec, { rows, isList }: Parcel): string {
  const texts = rows.map(({ row }) => rowText(spec, row));
  if (!isList) return texts[0]!;
  return spec.template === undefined ? `[${texts.join(",")}]` : texts.join("\n");
}
