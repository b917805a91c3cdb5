/** What is reported in the bench dmi: one device of a mapper that speaks DMI. */
export const protocol = "bench-bus";
export const device = "press";
export const tenant = "default";
/** int64 each */
export const properties: readonly string[] = Array.from({ length: 10 }, (_, i) => `v${i}`);

export type MapperQuestion =
  /** registers at the manager's socket, serving at its own */
  | { readonly t: "register"; readonly manager: string; readonly own: string }
  /**
   * reports for so long over `connections` connections, each with eight calls under way; at `callsPerSecond` in all, or
   * as fast as answers come
   */
  | {
      readonly t: "report";
      readonly manager: string;
      readonly each: number;
      readonly ms: number;
      readonly callsPerSecond: number | null;
    };
export interface MapperAnswer {
  /** devices that the registration told; of a report 0 */
  readonly devices: number;
  readonly calls: number;
  readonly refused: number;
  readonly perSecond: number;
  /** 99th percentile, of a call */
  readonly p99Ms: number;
}
