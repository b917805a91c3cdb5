import { checkSettings, type Mapper, type Point, withDefaults } from "@penstock/mapper-sdk";
import type { FieldError } from "@penstock/model";
import type { DeviceSpecOfMapper, PointSpec } from "@penstock/wire";

/** What a driver is asked for, and what it never sees. */
export interface CheckedPoints {
  readonly points: readonly Point[];
  /** position among the specs of each point */
  readonly rowOf: readonly number[];
  /** positions of those whose settings break a rule */
  readonly invalidRows: readonly number[];
  readonly wrong: readonly FieldError[];
}

export function checkedPoints(mapper: Mapper, of: DeviceSpecOfMapper, specs: readonly PointSpec[]): CheckedPoints {
  const rowOf: number[] = [];
  const points: Point[] = [];
  const invalidRows: number[] = [];
  const wrong: FieldError[] = [];
  specs.forEach((spec, row) => {
    const { point, fields } = checkedPoint(mapper, of, spec);
    if (point === null) {
      invalidRows.push(row);
      wrong.push(...fields);
      return;
    }
    rowOf.push(row);
    points.push(point);
  });
  return { points, rowOf, invalidRows, wrong };
}

/** A point with its defaults, or the rules that its settings break. */
export function checkedPoint(
  mapper: Mapper,
  of: DeviceSpecOfMapper,
  spec: PointSpec,
): { readonly point: Point | null; readonly fields: readonly FieldError[] } {
  const { device, name, address, custom: deviceCustom = {} } = of;
  const { property, type, visitor, custom = {} } = spec;
  const at = { address: "spec.address", visitor: `spec.properties.${property}.visitor` };
  const fields = checkSettings(mapper, { address, visitor }, at);
  if (fields.length > 0) return { point: null, fields };
  const settings = { address: withDefaults(mapper.address, address), visitor: withDefaults(mapper.visitor, visitor) };
  const named = name === undefined ? {} : { deviceName: name };
  return { point: { device, ...named, property, type, ...settings, custom, deviceCustom }, fields };
}
