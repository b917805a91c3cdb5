import type { DBusValue } from "../dbus/body-reader.ts";

export type Properties = ReadonlyMap<string, DBusValue>;
export interface ObjectChange {
  readonly path: string;
  readonly interface: string;
  /** what it has now, as far as it was told; null when the object is gone */
  readonly changed: Properties | null;
}
/** an adapter in a crowd sees some hundred devices; each connected one has some dozen objects */
const mostObjects = 50_000;
const none: Properties = new Map();

/**
 * What bluetoothd says that there is: paths, their interfaces, their properties. Whatever has another type than it should
 * have is left out, since anybody on the bus can send anything.
 */
export class Objects {
  readonly #all = new Map<string, Map<string, Map<string, DBusValue>>>();
  /** objects that were not taken because there are too many */
  refused = 0;

  /** @param body  of GetManagedObjects */
  replace(body: readonly DBusValue[]): void {
    this.#all.clear();
    for (const [path, interfaces] of entries(body[0])) this.added([path, interfaces]);
  }

  /** @param body  of InterfacesAdded: path, interfaces with their properties */
  added([path, interfaces]: readonly (DBusValue | undefined)[]): ObjectChange[] {
    if (typeof path !== "string") return [];
    const changes: ObjectChange[] = [];
    for (const [name, given] of entries(interfaces)) {
      if (!(given instanceof Map) || !name.startsWith("org.bluez.")) continue;
      const held = this.#all.get(path) ?? new Map<string, Map<string, DBusValue>>();
      if (!this.#all.has(path) && this.#all.size >= mostObjects) {
        this.refused++;
        continue;
      }
      const properties = new Map(entries(given));
      this.#all.set(path, held.set(name, properties));
      changes.push({ path, interface: name, changed: properties });
    }
    return changes;
  }

  /** @param body  of InterfacesRemoved: path, names of interfaces */
  removed([path, names]: readonly (DBusValue | undefined)[]): ObjectChange[] {
    if (typeof path !== "string" || !Array.isArray(names)) return [];
    const changes: ObjectChange[] = [];
    const held = this.#all.get(path);
    for (const name of names as readonly DBusValue[]) {
      if (typeof name === "string" && held?.delete(name) === true)
        changes.push({ path, interface: name, changed: null });
    }
    if (held?.size === 0) this.#all.delete(path);
    return changes;
  }

  /** @param body  of PropertiesChanged: interface, new values, names without one */
  changed(path: string, [name, values, gone]: readonly (DBusValue | undefined)[]): ObjectChange[] {
    const held = typeof name === "string" ? this.#all.get(path)?.get(name) : undefined;
    if (held === undefined) return [];
    const changed = new Map(entries(values));
    for (const [key, value] of changed) held.set(key, value);
    for (const key of Array.isArray(gone) ? (gone as readonly DBusValue[]) : [])
      if (typeof key === "string") held.delete(key);
    return [{ path, interface: name as string, changed }];
  }

  has(path: string, name: string): boolean {
    return this.#all.get(path)?.has(name) === true;
  }

  /** empty when there is no such object */
  of(path: string, name: string): Properties {
    return this.#all.get(path)?.get(name) ?? none;
  }

  /** paths of the objects below one that have the interface */
  below(path: string, name: string): string[] {
    const found: string[] = [];
    for (const [one, interfaces] of this.#all) if (one.startsWith(`${path}/`) && interfaces.has(name)) found.push(one);
    return found.sort();
  }

  with(name: string): string[] {
    return [...this.#all].filter(([, interfaces]) => interfaces.has(name)).map(([path]) => path);
  }
}

/** The entries with a text for a key; none when it is no dictionary. */
function entries(given: DBusValue | undefined): [string, DBusValue][] {
  if (!(given instanceof Map)) return [];
  return [...(given as ReadonlyMap<DBusValue, DBusValue>)].filter(
    (entry): entry is [string, DBusValue] => typeof entry[0] === "string",
  );
}

export function textOf(properties: Properties, name: string): string | undefined {
  const value = properties.get(name);
  return typeof value === "string" ? value : undefined;
}

export function isTrue(properties: Properties, name: string): boolean {
  return properties.get(name) === true;
}

export function textsOf(properties: Properties, name: string): readonly string[] {
  const value = properties.get(name);
  return Array.isArray(value) ? (value as readonly DBusValue[]).filter((one) => typeof one === "string") : [];
}
