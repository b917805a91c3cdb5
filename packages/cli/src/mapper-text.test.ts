import assert from "node:assert/strict";
import { test } from "node:test";
import { type ListedMapper, mappersTable, mapperText } from "./mapper-text.ts";

const object = (properties: object, required: string[] = []) => ({ type: "object", properties, required });
const lathe: ListedMapper = {
  ...{ name: "lathe", version: "1.2.0", summary: "Turns", cloud: false, nodes: ["gw-01"], nodeCount: 1, problem: null },
  manifest: {
    connection: object({ host: { type: "string", description: "Where it is", examples: ["10.0.0.1"] } }, ["host"]),
    address: object({}),
    visitor: object({
      axis: { type: "string", enum: ["x", "y"], default: "x" },
      depth: { type: "integer", minimum: 0, maximum: 9, unit: "mm" },
      tools: { type: "array", items: { type: "object", properties: { id: { type: "integer" } } } },
    }),
    ...{ method: null, custom: null, rules: [{ because: "the x axis cannot be written" }] },
  },
};

test("mapperText() has a row for each field, as people write it", () => {
  const expected = `
lathe 1.2.0  Turns
from: gw-01

connection (settings of a Connection)
FIELD  TYPE    DEFAULT     ABOUT
host   string  (required)  Where it is; such as "10.0.0.1"

address (spec.address of a Device)
no fields

visitor (visitor of a property)
FIELD       TYPE             DEFAULT  ABOUT
axis        x | y            "x"
depth       integer 0..9 mm  -
tools       list of object   -
tools[].id  integer          -

custom: any fields, passed to the mapper as they are

rules
- the x axis cannot be written`;
  assert.equal(`\n${mapperText(lathe)}`, expected);
});

test("mappersTable() says where each comes from, and what is wrong with it", () => {
  const fleet = { ...lathe, cloud: true, nodes: ["a", "b", "c", "d"], nodeCount: 9, manifest: null };
  assert.equal(
    mappersTable([lathe, { ...fleet, problem: "Its manifest has not come yet" }]),
    `
NAME   VERSION  FROM                       ABOUT
lathe  1.2.0    gw-01                      Turns
lathe  1.2.0    cloud, a, b, c and 6 more  Its manifest has not come yet`.slice(1),
  );
});
