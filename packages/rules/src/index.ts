export { aggregateFunctions } from "./functions/aggregate/all.ts";
export { analyticFunctions } from "./functions/analytic/all.ts";
export type { AggregateFunction } from "./functions/define-aggregate.ts";
export type { AnalyticFunction } from "./functions/define-analytic.ts";
export {
  type FunctionGroup,
  functionGroups,
  type HostFunctions,
  type Param,
  type ScalarFunction,
} from "./functions/define-function.ts";
export type { RowsFunction } from "./functions/define-rows.ts";
export { scalarFunctions } from "./functions/registry.ts";
export { rowsFunctions } from "./functions/rows/all.ts";
export { type SurroundingFunction, surroundingFunctions } from "./functions/surroundings.ts";
export type * from "./parse/ast.ts";
export { parse, parseQuery } from "./parse/parse.ts";
export { declaredColumns } from "./plan/declared-columns.ts";
export { declaredTable } from "./plan/declared-table.ts";
export { outputColumns } from "./plan/output-columns.ts";
export { type Plan, planQuery, type QueryOptions } from "./plan/plan-query.ts";
export { schemaOf } from "./plan/schema-of.ts";
export type { Catalog, SourceLayout, StreamSchema, TableSchema } from "./plan/stream-schema.ts";
export { effort, TooMuchWork } from "./run/effort.ts";
export type { Row } from "./run/frame.ts";
export { type RowBounds, rowBounds } from "./run/kept-rows.ts";
export type { Answer, LookupRow, Wanted } from "./run/lookup.ts";
export { charsOfAnswer } from "./run/lookup-cache.ts";
export { type Output, QueryRunner } from "./run/query-runner.ts";
export { batchReader, columnTypeOf } from "./run/read-batch.ts";
export { type Message, rowReader } from "./run/read-row.ts";
export { type SourceRow, Watermark, type WatermarkOptions } from "./run/watermark.ts";
export type { OffsetAt } from "./run/windows/alignment.ts";
export { type Unsupported, unsupported } from "./unsupported.ts";
export { momentOfText } from "./value/moment-of-text.ts";
export type { Saved } from "./value/saved.ts";
export { decodeSaved, encodeSaved, encodeSavedWithin } from "./value/saved-codec.ts";
export type * from "./value/value.ts";
export { Instant, kindOf } from "./value/value.ts";
