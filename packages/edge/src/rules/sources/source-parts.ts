import type { ListenAtBroker, RuleSourceSpec } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { Clock, Files, Log, Metrics, Random } from "@penstock/runtime";

/** What sources are made with. */
export interface SourcesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** of the rules of the gateway, in its data folder */
  readonly folder: string;
  /** unlike any other gateway's: by it brokers know the gateway again */
  readonly node: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** at the gateway's own broker */
  readonly listen: ListenAtBroker;
}
/** What takes the rows of one source. Resolves when it has them for good; until then nothing is acknowledged. */
export type TakeRow = (content: ObjectValue, meta: ObjectValue) => void | Promise<void>;

/** What brings rows. It opens when it can, tries again by itself, and tells nobody but the log and the metrics. */
export interface Source {
  close(): Promise<void>;
}
export interface SourceParts extends SourcesOptions {
  /** of all that the source brings; for metrics and names of files */
  readonly name: string;
  readonly spec: RuleSourceSpec;
  readonly take: TakeRow;
}
