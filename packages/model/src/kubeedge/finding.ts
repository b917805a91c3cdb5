/** How much of a field is kept. note: all, in another form; lossy: not all; refused: the whole document is left out. */
export const findingLevels = ["note", "lossy", "refused"] as const;
export type FindingLevel = (typeof findingLevels)[number];

/** One thing to know of a document that was translated between KubeEdge and Penstock. */
export interface Finding {
  /** which of the documents that were handed in, from 0; of a List all have its place. null where nothing was handed in */
  readonly index: number | null;
  /** 'Device "temp-01"', by the name it came with */
  readonly document: string;
  /** path in it, as its author wrote it: "spec.propertyVisitors[1].modbus.isSwap" */
  readonly field: string;
  /** shortened for people */
  readonly value: string;
  readonly level: FindingLevel;
  readonly why: string;
  /** what to do about it; "" for nothing */
  readonly todo: string;
}
