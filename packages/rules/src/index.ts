export type * from "./parse/ast.ts";
export { parse, parseQuery } from "./parse/parse.ts";
