import { join } from "node:path";

export * from "./clockwork.ts";
export * from "./devices.ts";
export { firstLoadUnit, LoadUnit, loadFloat, loadInteger, loadShapes } from "./load-unit.ts";
export { plantModbusUnits } from "./plant-unit.ts";
export { type MapEntry, type PlantDevice, plantUnits, registerMap } from "./register-map.ts";

/** path of the plant's program, for whoever starts it as a process */
export const plantMain = join(import.meta.dirname, "main.ts");
