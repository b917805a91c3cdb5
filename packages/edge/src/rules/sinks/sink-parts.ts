import type { EffectiveDevice, LocalTwin, ReadingBatch, RuleActionKind, RuleActionOf, RuleUid } from "@penstock/model";
import type { Clock, Files, Log, Metrics, Random } from "@penstock/runtime";
import type { AlarmPlace } from "./alarm-sink.ts";
import type { RuleOutput, Sink } from "./sink.ts";

/** What an action is made with. */
export interface SinkParts {
  /** name of the rule */
  readonly rule: string;
  /** of the rule: another one of the same name is not this one */
  readonly uid: RuleUid;
  /** its place among the actions of the rule, from 0 */
  readonly action: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** names the rule already */
  readonly log: Log;
  readonly metrics: Metrics;
  /** of the rules of the gateway, in its data folder; what an action keeps stands below it */
  readonly folder: string;
  readonly site: SinkSite;
  /** tells that a row of a result could not be delivered, and why: it stands in the status of the rule */
  failed(message: string): void;
}

/** What actions reach of the gateway itself; main.ts hands it in. */
export interface SinkSite {
  /** to the gateway's broker */
  publish(message: LocalMessage): Promise<void>;
  /** null where the gateway has no device of that name */
  device(name: string): EffectiveDevice | null;
  /** onto the bus, as what is collected goes there */
  readings(batch: ReadingBatch): Promise<void>;
  readonly twin: Pick<LocalTwin, "setLocally" | "callHere">;
  /** left out where the gateway keeps no alarms */
  readonly alarms?: AlarmPlace;
  /** to rules that read this stream of the gateway's memory */
  memory(stream: string, output: RuleOutput): void | Promise<void>;
}
export interface LocalMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Makes an action of one kind. What it needs from outside it opens when it first has something to deliver. */
export type OpenSink<K extends RuleActionKind> = (settings: RuleActionOf<K>, parts: SinkParts) => Sink;
