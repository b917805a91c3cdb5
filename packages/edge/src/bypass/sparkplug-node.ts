import {
  type EffectiveDevice,
  type Reading,
  type ReadingBatch,
  readingsOf,
  type Value,
  type ValueType,
} from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import {
  decodeSparkplug,
  encodeSparkplug,
  parseSparkplugTopic,
  type ReceivedMetric,
  type SparkplugMetric,
  type SparkplugType,
  sparkplugTopic,
  sparkplugValueOf,
} from "@penstock/wire";
import type { BrokerMessage } from "./broker.ts";

/** A value that a host wants written. */
export interface SparkplugWrite {
  readonly device: EffectiveDevice;
  readonly property: string;
  readonly type: ValueType;
  readonly value: Value;
}
/** What a message to the gateway asks for; what cannot be read or is none of ours is `refused`. */
export interface SparkplugCommand {
  readonly rebirth: boolean;
  readonly writes: readonly SparkplugWrite[];
  readonly refused: number;
}

/** A device as subscribers know it. */
interface Known {
  device: EffectiveDevice;
  readonly aliases: Map<string, number>;
  readonly last: Map<string, Reading>;
  /** its birth was told, and its death was not */
  isBorn: boolean;
}
const rebirth = "Node Control/Rebirth";
const noCommand: SparkplugCommand = { rebirth: false, writes: [], refused: 1 };

/**
 * This gateway as an Edge Node of Sparkplug B: what to publish, in which order, with which numbers. It publishes nothing
 * itself; messages must go out in the order in which they were made. A device whose every known value is bad is dead.
 *
 * @source Sparkplug 3.0.0, 5 (operational behavior) and 6.4
 */
export class SparkplugNode {
  readonly #options: { readonly group: string; readonly node: string; readonly clock: Clock };
  /** by name: topics have nothing else */
  readonly #devices = new Map<string, Known>();
  #seq = 0;
  #bdSeq = -1;
  #lastAlias = 0;

  constructor(options: { readonly group: string; readonly node: string; readonly clock: Clock }) {
    this.#options = options;
  }

  /** For the next connection: its number is the one that the births after it have. */
  will(): BrokerMessage {
    this.#bdSeq = (this.#bdSeq + 1) % 256;
    return this.lastWords();
  }

  lastWords(): BrokerMessage {
    const payload = encodeSparkplug({ timestamp: this.#now(), seq: null, metrics: [this.#bdSeqMetric()] });
    return { topic: this.#topic("NDEATH", null), payload, qos: 1, retain: false, isOfNow: true };
  }

  /** The birth of the node and of all devices that live: from here on `seq` counts anew. */
  births(): BrokerMessage[] {
    this.#seq = 255;
    const control = { ...this.#bdSeqMetric(), name: rebirth, type: "bool", value: false } as const;
    const node = this.#message("NBIRTH", null, [this.#bdSeqMetric(), control]);
    return [node, ...[...this.#devices.values()].flatMap((known) => (isAlive(known) ? [this.#birth(known)] : []))];
  }

  /** The devices as they are now: births of what is new or changed, deaths of what is gone. */
  setDevices(devices: readonly EffectiveDevice[]): BrokerMessage[] {
    const messages: BrokerMessage[] = [];
    const names = new Set(devices.map(({ name }) => name));
    for (const [name, known] of this.#devices) {
      if (names.has(name)) continue;
      if (known.isBorn) messages.push(this.#death(known));
      this.#devices.delete(name);
    }
    for (const device of devices) {
      const before = this.#devices.get(device.name);
      if (before?.device === device) continue;
      const known = this.#known(device, before);
      this.#devices.set(device.name, known);
      if (isAlive(known)) messages.push(this.#birth(known));
    }
    return messages;
  }

  /** A cycle of a device: its data, or its birth or death when that is what it means. */
  data(batch: ReadingBatch, name: string): BrokerMessage[] {
    const known = this.#devices.get(name);
    if (known === undefined || known.device.uid !== batch.layout.device) return [];
    const readings = readingsOf(batch);
    for (const reading of readings) if (known.aliases.has(reading.property)) known.last.set(reading.property, reading);
    if (!isAlive(known)) return known.isBorn ? [this.#death(known)] : [];
    if (!known.isBorn) return [this.#birth(known)];
    const metrics = readings.flatMap((reading): SparkplugMetric[] => {
      const alias = known.aliases.get(reading.property);
      return alias === undefined ? [] : [{ ...metricOf(reading), name: null, alias, unit: null }];
    });
    return metrics.length === 0 ? [] : [this.#message("DDATA", name, metrics)];
  }

  /** Reads a message that came to a command topic. */
  command(topic: string, payload: Uint8Array): SparkplugCommand {
    const address = parseSparkplugTopic(topic);
    if (address === null || address.group !== this.#options.group || address.node !== this.#options.node) {
      return { ...noCommand, refused: 0 };
    }
    const metrics = readMetrics(payload);
    if (metrics === null) return noCommand;
    if (address.type === "NCMD") {
      const isAsked = metrics.some(({ name, raw }) => name === rebirth && raw?.field === "boolean" && raw.value);
      return isAsked ? { rebirth: true, writes: [], refused: 0 } : noCommand;
    }
    const known = this.#devices.get(address.device ?? "");
    if (address.type !== "DCMD" || known === undefined) return noCommand;
    const writes = metrics.map((metric) => writeOf(known, metric));
    const good = writes.filter((write) => write !== null);
    return { rebirth: false, writes: good, refused: writes.length - good.length };
  }

  #known(device: EffectiveDevice, before: Known | undefined): Known {
    const isSame = before?.device.uid === device.uid;
    const last = new Map<string, Reading>();
    for (const { name, type } of device.properties) {
      const reading = isSame ? before.last.get(name) : undefined;
      if (reading !== undefined && reading.type === type) last.set(name, reading);
    }
    const aliases = new Map(device.properties.map(({ name }) => [name, ++this.#lastAlias]));
    return { device, aliases, last, isBorn: before?.isBorn ?? false };
  }

  #birth(known: Known): BrokerMessage {
    known.isBorn = true;
    const timestamp = this.#now();
    const metrics = known.device.properties.map(({ name, type, unit }): SparkplugMetric => {
      const reading = known.last.get(name);
      const now = reading === undefined ? neverRead(type, timestamp) : metricOf(reading);
      return { ...now, name, alias: known.aliases.get(name) ?? null, unit };
    });
    return this.#message("DBIRTH", known.device.name, metrics);
  }

  #death(known: Known): BrokerMessage {
    known.isBorn = false;
    return this.#message("DDEATH", known.device.name, []);
  }

  #message(type: SparkplugType, device: string | null, metrics: readonly SparkplugMetric[]): BrokerMessage {
    this.#seq = (this.#seq + 1) % 256;
    const payload = encodeSparkplug({ timestamp: this.#now(), seq: this.#seq, metrics });
    return { topic: this.#topic(type, device), payload, qos: 0, retain: false, isOfNow: true };
  }

  #topic(type: SparkplugType, device: string | null): string {
    const { group, node } = this.#options;
    return sparkplugTopic(type, { group, node, device });
  }

  #bdSeqMetric(): SparkplugMetric {
    const value = BigInt(Math.max(0, this.#bdSeq));
    return { name: "bdSeq", alias: null, timestamp: this.#now(), type: "int64", value, quality: null, unit: null };
  }

  #now(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }
}

function isAlive({ last }: Known): boolean {
  if (last.size === 0) return true;
  for (const { quality } of last.values()) if (quality !== "bad") return true;
  return false;
}

function metricOf({ time, type, value, quality }: Reading): SparkplugMetric {
  return { name: null, alias: null, timestamp: Math.floor(time / 1000), type, value, quality, unit: null };
}

function neverRead(type: ValueType, timestamp: number): SparkplugMetric {
  return { name: null, alias: null, timestamp, type, value: null, quality: "bad", unit: null };
}

function writeOf({ device, aliases }: Known, { name, alias, raw }: ReceivedMetric): SparkplugWrite | null {
  const property = device.properties.find((one) =>
    name !== null ? one.name === name : alias !== null && BigInt(aliases.get(one.name) ?? -1) === alias,
  );
  if (property === undefined || raw === null) return null;
  const value = sparkplugValueOf(raw, property.type);
  return value === undefined ? null : { device, property: property.name, type: property.type, value };
}

function readMetrics(payload: Uint8Array): readonly ReceivedMetric[] | null {
  try {
    return decodeSparkplug(payload).metrics;
  } catch {
    return null;
  }
}
