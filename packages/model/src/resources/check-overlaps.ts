import type { FieldError } from "../errors.ts";
import { type Extent, extentOf, type MapperManifest, type SettingsGiven } from "../mapper-manifest.ts";
import { fieldValue } from "../settings-rules.ts";
import { shown } from "../shown.ts";
import type { MergedDevice } from "./effective-device.ts";

/** Where one property lies on its line. */
export interface PlacedPoint {
  /** name of the device; tells the points of a line apart */
  readonly device: string;
  readonly property: string;
  /** such as '3,"holding"': points of different spaces never meet */
  readonly space: string;
  readonly start: number;
  readonly length: number;
  /** of the place, such as a bit of a register, and how many from there; null = all of it */
  readonly part: { readonly from: string | number; readonly count: number } | null;
}

/** Points of one space, by start. */
interface Space {
  points: PlacedPoint[];
  longest: number;
}

/** What lies where on one line, for checks against many devices: adding and asking take the time of a binary search. */
export class LinePlaces {
  readonly #spaces = new Map<string, Space>();

  add(points: readonly PlacedPoint[]): void {
    for (const point of points) {
      const space = this.#spaces.get(point.space) ?? { points: [], longest: 0 };
      this.#spaces.set(point.space, space);
      space.points.splice(firstFrom(space.points, point.start + 1), 0, point);
      space.longest = Math.max(space.longest, point.length);
    }
  }

  /** Forgets a device, as before it is checked again with other settings. */
  remove(device: string): void {
    for (const space of this.#spaces.values()) space.points = space.points.filter((one) => one.device !== device);
  }

  /** the first point in the same place that has no other part of it */
  meets(point: PlacedPoint): PlacedPoint | null {
    const space = this.#spaces.get(point.space);
    if (space === undefined) return null;
    const { points } = space;
    for (let i = firstFrom(points, point.start - space.longest + 1); i < points.length; i++) {
      const other = points[i]!;
      if (other.start >= point.start + point.length) return null;
      if (other.start + other.length > point.start && !areParts(point, other)) return other;
    }
    return null;
  }
}

/** different parts of one place, such as the bits of a register: numbers are ranges, names just differ */
function areParts(a: PlacedPoint, b: PlacedPoint): boolean {
  if (a.start !== b.start || a.length !== b.length || a.part === null || b.part === null) return false;
  const [one, other] = [a.part, b.part];
  if (typeof one.from !== "number" || typeof other.from !== "number") return one.from !== other.from;
  return one.from + one.count <= other.from || other.from + other.count <= one.from;
}

/** index of the first point that starts at `start` or later */
function firstFrom(points: readonly PlacedPoint[], start: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]!.start < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Where the properties of a device lie, by the extent that its mapper declares. Without one, and for properties that state
 * `mayOverlap`, nothing is said.
 */
export function placesOf(
  device: string,
  merged: MergedDevice,
  manifest: MapperManifest,
  settings?: unknown,
): PlacedPoint[] {
  const { extent } = manifest;
  if (extent === null) return [];
  const points: PlacedPoint[] = [];
  for (const [property, { type, visitor, mayOverlap, calculated }] of merged.properties) {
    if (mayOverlap === true || calculated === true || type === undefined) continue;
    const given = { connection: settings ?? {}, address: merged.address, visitor: visitor ?? {} };
    const place = extentOf(manifest, given, type);
    if (place === null) continue;
    points.push({ device, property, ...place, part: partOf(manifest, given, extent) });
  }
  return points;
}

function partOf(manifest: MapperManifest, given: SettingsGiven, { part, partLength }: Extent): PlacedPoint["part"] {
  const from = part === undefined ? undefined : fieldValue(manifest, given, part);
  if (from === undefined) return null;
  const count = partLength === undefined ? 1 : fieldValue(manifest, given, partLength);
  return { from: typeof from === "number" ? from : shown(from), count: typeof count === "number" ? count : 1 };
}

/**
 * What two properties say of one place: among those of the device, and against the others of its line. What is wrong names
 * the other one.
 *
 * @param line  the other devices of the line; the device's own points are added to it
 */
export function checkOverlaps(options: {
  readonly device: string;
  readonly merged: MergedDevice;
  readonly manifest: MapperManifest;
  readonly settings?: unknown;
  readonly line: LinePlaces;
}): FieldError[] {
  const { device, merged, manifest, settings, line } = options;
  const { extent } = manifest;
  if (extent === null) return [];
  const fields: FieldError[] = [];
  for (const point of placesOf(device, merged, manifest, settings)) {
    const field = pathOf(extent.start, point.property);
    if (extent.size !== undefined && point.start + point.length > extent.size) {
      const rule = `must be at most ${extent.size - point.length}: ${lengthText(point)} from there must end within ${extent.size}`;
      fields.push({ field, value: String(point.start), rule });
      continue;
    }
    const beyond = partsBeyond(extent, point);
    if (beyond !== null) {
      fields.push({ field: pathOf(extent.part!, point.property), ...beyond });
      continue;
    }
    const other = line.meets(point);
    if (other === null) line.add([point]);
    else {
      const whose = other.device === device ? "" : ` of device "${other.device}"`;
      const rule = `lies where property "${other.property}"${whose} lies (${placeText(other, extent.space)}); move one of them, or state mayOverlap: true`;
      fields.push({ field, value: String(point.start), rule });
    }
    if (fields.length >= 20) break;
  }
  return fields;
}

/** what is wrong with a part that ends behind its place */
function partsBeyond({ partsOfPlace }: Extent, { part }: PlacedPoint): Pick<FieldError, "value" | "rule"> | null {
  if (partsOfPlace === undefined || part === null || typeof part.from !== "number") return null;
  if (part.from + part.count <= partsOfPlace) return null;
  const rule = `must be at most ${partsOfPlace - part.count}: ${part.count} from there must end within ${partsOfPlace}`;
  return { value: String(part.from), rule };
}

/** "visitor.offset" as the user wrote it */
function pathOf(field: string, property: string): string {
  const name = field.slice(field.indexOf(".") + 1);
  return field.startsWith("visitor.") ? `spec.properties.${property}.visitor.${name}` : `spec.${field}`;
}

function lengthText({ length }: PlacedPoint): string {
  return length === 1 ? "1 place" : `${length} places`;
}

/** "unitId 3, table "holding", 0..1" */
function placeText({ space, start, length, part }: PlacedPoint, fields: Extent["space"]): string {
  const names = fields.map((field) => [field].flat()[0] ?? "");
  const values = names.length === 1 ? [space] : space.split(",");
  const named = names.map((name, i) => `${name.slice(name.indexOf(".") + 1)} ${values[i] ?? "?"}`);
  const where = length === 1 ? String(start) : `${start}..${start + length - 1}`;
  if (part === null) return [...named, where].join(", ");
  const { from, count } = part;
  const parts = count === 1 || typeof from === "string" ? `part ${from}` : `parts ${from}..${from + count - 1}`;
  return [...named, `${where} ${parts}`].join(", ");
}
