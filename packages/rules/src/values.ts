/**
 * Values of SQL for who holds them and runs no rules: apart from the index, since a bundle that takes anything of that has
 * the whole engine in memory.
 */
export { decodeSaved, encodeSaved } from "./value/saved-codec.ts";
export { Instant } from "./value/value.ts";
