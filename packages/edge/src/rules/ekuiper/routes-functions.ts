import { aggregateFunctions, analyticFunctions, type Param, scalarFunctions } from "@penstock/rules";
import type { RestRoute } from "./rest-routes.ts";

/** What editors of SQL offer. */
export const functionRoutes: readonly RestRoute[] = [
  { methods: ["GET"], path: "/metadata/functions", handle: () => ({ status: 200, json: described() }) },
];

function described() {
  const aggregates = new Set(aggregateFunctions.keys());
  const all = [...scalarFunctions, ...aggregateFunctions, ...analyticFunctions];
  return all
    .map(([name, { params, summary }]) => ({
      ...{ name, aggregate: aggregates.has(name), hint: { en_US: summary } },
      ...{ example: `${name}(${params.map((one) => one.name).join(", ")})`, args: params.map(argument) },
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function argument({ name, is, isOptional, repeats }: Param) {
  const types = typeof is === "string" ? [is] : is;
  return { name, type: types.join("|"), optional: isOptional === true, repeats: repeats !== undefined };
}
