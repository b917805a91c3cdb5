export * from "./dmi-any.ts";
export * from "./dmi-codec.ts";
export * from "./dmi-kinds.ts";
export type * from "./dmi-messages.ts";
export * from "./dmi-service.ts";
export { type DmiService, dmiServices } from "./dmi-table.ts";
