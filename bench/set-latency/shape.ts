/** What is read in set-latency while values are set: the devices of modbus-collect, and one more on the same line. */
import { devices, firstUnit, floatsEach } from "../modbus-collect/shape.ts";

export { devices, firstUnit, floatsEach };
export const setUnit = 100;
/** a float32 */
export const setOffset = 0;

/** values a second, and the cycle that gives them; null: no device but the one that is set */
export const levels = [
  { name: "idle", everyMs: null, overMs: null },
  { name: "10k", everyMs: 1000, overMs: 20 },
  { name: "100k", everyMs: 100, overMs: 50 },
] as const;
