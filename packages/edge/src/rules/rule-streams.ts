import { type EffectiveDevice, type EffectiveRule, mapSecrets, type RuleSourceSpec } from "@penstock/model";
import {
  type Catalog,
  type ColumnType,
  columnTypeOf,
  declaredColumns,
  declaredTable,
  type ObjectValue,
  type Value,
} from "@penstock/rules";

/**
 * What the SQL of a rule may read: its own sources by their names, and every device of the gateway without any declaration:
 * its properties are the columns, of the types that the device has.
 */
export interface RuleStreams {
  readonly catalog: Catalog;
  /** null where the stream is none of the gateway's devices, or a source of the rule has the name */
  device(stream: string): EffectiveDevice | null;
  source(stream: string): RuleSourceSpec | null;
  /** as which the query knows the columns of a source; null: whatever comes */
  columnsOf(stream: string): ReadonlyMap<string, ColumnType> | null;
  /** by what the rows of a source are called for all rules: those that state the same have the same rows */
  keyOf(stream: string): string;
  /** what `meta(…)` knows of a device, beside its readings */
  metaOf(device: EffectiveDevice): ObjectValue;
  /** equal texts: a query that reads the stream has the same plan */
  shapeOf(stream: string): string;
}

export function ruleStreams(options: {
  readonly devices: ReadonlyMap<string, EffectiveDevice>;
  readonly tenant: string;
  readonly rule: Pick<EffectiveRule, "sources">;
}): RuleStreams {
  const { devices, tenant, rule } = options;
  const source = (stream: string) => (Object.hasOwn(rule.sources, stream) ? rule.sources[stream]! : null);
  const device = (stream: string) => (source(stream) === null ? (devices.get(stream) ?? null) : null);
  const columnsOf = (stream: string) => {
    const columns = source(stream)?.columns;
    return columns === undefined ? null : declaredColumns(columns);
  };
  return {
    device,
    source,
    columnsOf,
    catalog(name) {
      const own = source(name);
      if (own !== null) {
        const table = declaredTable(own);
        return { name, columns: columnsOf(name), ...(table !== undefined && { table }) };
      }
      const found = device(name);
      if (found === null) return null;
      return { name, columns: new Map(found.properties.map((one) => [one.name, columnTypeOf(one.type)])) };
    },
    keyOf(stream) {
      const own = source(stream);
      return own === null || own.memory !== undefined ? stream : sourceKey(own);
    },
    metaOf: ({ name, uid, properties }) => ({
      ...{ tenant, device: name, uid: uid as string },
      unit: Object.fromEntries(
        properties.flatMap((one): [string, Value][] => (one.unit === null ? [] : [[one.name, one.unit]])),
      ),
      type: Object.fromEntries(properties.map((one) => [one.name, one.type])),
    }),
    shapeOf(stream) {
      const own = source(stream);
      if (own !== null) return JSON.stringify(withoutSecrets(own));
      const found = device(stream);
      if (found === null) return "none";
      const shape = found.properties.map(({ name, type, unit, isCalculated }) => [name, type, unit, isCalculated]);
      return JSON.stringify([found.uid, shape]);
    },
  };
}

/** What brings the rows, as a text that may stand on the disk; memory aside, whose streams have names. */
export function sourceKey(source: RuleSourceSpec): string {
  const { mqtt, http, file } = withoutSecrets(source);
  return JSON.stringify({ mqtt, http, file });
}

function withoutSecrets(source: RuleSourceSpec): RuleSourceSpec {
  const isSecret = () => false;
  return mapSecrets({ sources: { source } }, isSecret, () => undefined).sources.source;
}
