/** What the store's main-thread side and its two workers say to each other. */
import type {
  BootId,
  DeviceUid,
  Epoch,
  Micros,
  NodeUid,
  Ranges,
  Reading,
  SeriesQuery,
  SeriesResult,
  Source,
  TenantUid,
  ValueType,
} from "@penstock/model";
import type { HotRange } from "./sweep-planner.ts";

export interface OpenRequest {
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  readonly boot: BootId;
}
export interface CommitRequest {
  readonly source: number;
  readonly generation: number;
  readonly ranges: Ranges;
  /** how many of the group's batches are its own, in order */
  readonly batches: number;
}
/** Sessions to open and batches to store in one transaction and one sync. */
export interface Group {
  readonly opens: readonly OpenRequest[];
  readonly commits: readonly CommitRequest[];
  /** six numbers a batch: layout, first seq, count, lowest time, highest time, bytes of its body */
  readonly meta: Float64Array<ArrayBuffer>;
  /** bodies end to end */
  readonly bodies: Uint8Array<ArrayBuffer>;
}
export const metaFields = 6;
export interface GroupDone {
  readonly sources: readonly Source[];
  /** of the refused commits: their session is not the node's newest any more */
  readonly fenced: readonly number[];
  /** hot ids of the stored batches, in order, refused ones left out */
  readonly firstId: number;
}

export interface LayoutRow {
  readonly id: number;
  readonly tenant: TenantUid;
  readonly device: DeviceUid;
}
export interface HotRow {
  readonly id: number;
  readonly layout: number;
  readonly lowest: Micros;
  readonly highest: Micros;
}
export interface SealRequest {
  readonly layout: number;
  readonly ids: Float64Array;
}

export interface WriterMethods {
  readonly [name: string]: (input: never) => unknown;
  /** what stood in the hot table when the file was opened: the live batches, and the sealed ones that are to be swept */
  readonly hot: (input: null) => {
    readonly layouts: readonly LayoutRow[];
    readonly rows: readonly HotRow[];
    readonly sealedIds: Float64Array;
  };
  readonly defineLayout: (input: {
    readonly tenant: TenantUid;
    readonly device: DeviceUid;
    readonly properties: readonly { readonly name: string; readonly type: ValueType }[];
  }) => number;
  readonly group: (input: Group) => GroupDone;
  /** ids as the hot index has them, ascending; resolves once the block is visible and the batches are hidden */
  readonly seal: (input: SealRequest) => Promise<{ readonly readings: number; readonly bytes: number }>;
  /** resolves once the range has no sealed batch any more */
  readonly sweep: (input: HotRange) => Promise<void>;
  readonly expire: (input: {
    readonly tenant: TenantUid;
    readonly before: Micros;
    readonly hotIds: Float64Array;
  }) => Promise<{ readonly readings: number }>;
  readonly tenants: (input: null) => readonly TenantUid[];
  readonly stats: (input: null) => {
    readonly readings: number;
    readonly hotBatches: number;
    readonly chunks: number;
    readonly series: number;
    readonly bytes: number;
  };
  readonly checkpoint: (input: null) => void;
}

/** Hot batches of one layout that a question may concern. */
export interface HotIds {
  readonly layout: number;
  readonly ids: Float64Array;
  /** highest time of each */
  readonly highest: Float64Array;
}
export interface ReaderMethods {
  readonly [name: string]: (input: never) => unknown;
  readonly query: (input: { readonly query: SeriesQuery; readonly hot: readonly HotIds[] }) => SeriesResult;
  readonly latest: (input: {
    readonly tenant: TenantUid;
    readonly series: readonly { readonly device: DeviceUid; readonly property: string }[];
    /** newest first within each layout */
    readonly hot: readonly HotIds[];
  }) => readonly Reading[];
}
