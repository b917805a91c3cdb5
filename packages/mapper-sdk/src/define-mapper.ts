import {
  checkAgainstManifest,
  type Extent,
  type FieldError,
  type LineCost,
  type MapperManifest,
  manifestVersion,
  type SettingsGiven,
  type SettingsPart,
  type SettingsRule,
  type Shorthand,
} from "@penstock/model";
import { type OpenContext, type OpenedConnection, sdkVersion } from "./driver.ts";
import { type Fields, objectSchema, type Settings } from "./field.ts";

/** All that a driver author states. Forms, checks, docs and `mapper.json` follow from it. */
export interface MapperSpec<C extends Fields, A extends Fields, V extends Fields, M extends Fields = Fields> {
  /** what a Connection names as its protocol; a DNS-1123 label */
  readonly name: string;
  /** one sentence */
  readonly summary: string;
  readonly version: string;
  /** the module that exports the mapper, from mapper.json's folder; "./src/index.ts" unless stated */
  readonly main?: string;
  readonly connection: C;
  readonly address: A;
  readonly visitor: V;
  /** settings of a method; connections then have `call` */
  readonly method?: M;
  /** schema of the `custom` blocks of devices; without it they are taken as they are */
  readonly custom?: Fields;
  /** what single fields cannot say */
  readonly rules?: readonly SettingsRule[];
  /** texts that stand for several fields, as manuals print them */
  readonly shorthands?: readonly Shorthand[];
  readonly extent?: Extent;
  /** what reading costs its lines, so that their load can be told beforehand */
  readonly cost?: LineCost;
  /** connections have `subscribe` */
  readonly subscribes?: boolean;
  /** connections have `browse` */
  readonly browses?: boolean;
  /** what its process may touch; ["network"] unless stated */
  readonly permissions?: readonly string[];
  /**
   * Makes a connection. Safe to call again after a failure; two calls with the same settings may share a line.
   *
   * @throws AppError mapper/connect-failed and others of the `mapper/…` codes
   */
  open(connection: Settings<C>, context: OpenContext): Promise<OpenedConnection<Settings<A>, Settings<V>>>;
}

const isMapperMark = Symbol.for("penstock.mapper");

export interface Mapper<C extends Fields = Fields, A extends Fields = Fields, V extends Fields = Fields>
  extends Omit<MapperSpec<C, A, V>, "method"> {
  readonly method: Fields | null;
  readonly manifest: MapperManifest;
}

/** Makes a mapper of its specification. Touches no network. */
export function defineMapper<const C extends Fields, const A extends Fields, const V extends Fields>(
  spec: MapperSpec<C, A, V>,
): Mapper<C, A, V> {
  return Object.freeze({ ...spec, method: spec.method ?? null, manifest: mapperManifest(spec), [isMapperMark]: true });
}

/** True for what `defineMapper` made, whichever copy of the kit made it. */
export function isMapper(value: unknown): value is Mapper {
  return typeof value === "object" && value !== null && isMapperMark in value;
}

export function mapperManifest<C extends Fields, A extends Fields, V extends Fields>(
  spec: MapperSpec<C, A, V>,
): MapperManifest {
  return {
    manifest: manifestVersion,
    name: spec.name,
    summary: spec.summary,
    version: spec.version,
    sdk: sdkVersion,
    main: spec.main ?? "./src/index.ts",
    connection: objectSchema(spec.connection),
    address: objectSchema(spec.address),
    visitor: objectSchema(spec.visitor),
    method: spec.method === undefined ? null : objectSchema(spec.method),
    custom: spec.custom === undefined ? null : objectSchema(spec.custom),
    rules: spec.rules ?? [],
    ...(spec.shorthands !== undefined && { shorthands: spec.shorthands }),
    extent: spec.extent ?? null,
    cost: spec.cost ?? null,
    ...(spec.subscribes === true && { subscribes: true }),
    ...(spec.browses === true && { browses: true }),
    permissions: spec.permissions ?? ["network"],
  };
}

/** The text of `mapper.json`; a generator writes it, a test compares it. */
export function manifestText(mapper: { readonly manifest: MapperManifest }): string {
  return `${JSON.stringify(mapper.manifest, null, 2)}\n`;
}

/** Every field that breaks its rule; none when the settings are good. Touches no network. */
export function checkSettings(
  mapper: MapperManifest | { readonly manifest: MapperManifest },
  given: SettingsGiven,
  at?: { readonly [part in SettingsPart]?: string },
): FieldError[] {
  return checkAgainstManifest(
    typeof mapper.manifest === "string" ? (mapper as MapperManifest) : mapper.manifest,
    given,
    at,
  );
}
