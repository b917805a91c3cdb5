import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./check-imports.ts";

const cases: [path: string, source: string, message: RegExp | null][] = [
  ["model/src/a.ts", 'import { readFile } from "node:fs/promises";', /no I\/O/],
  ["model/src/a.ts", 'import { pack } from "msgpackr";', /only typebox/],
  ["model/src/a.ts", 'import Type from "typebox";\nimport { b } from "./b.ts";', null],
  ["wire/src/a.ts", 'import { x } from "@penstock/runtime";', /wire may import model/],
  ["edge/src/link/a.ts", 'import { x } from "../outbox/b.ts";', /stage link imports stage outbox/],
  ["edge/src/link/a.ts", 'import { main } from "../main.ts";', /imports the composition/],
  ["edge/src/link/a.ts", 'import { x } from "./sub/b.ts";', null],
  ["edge/src/main.ts", 'import { x } from "./outbox/b.ts";', null],
  ["edge/src/main.ts", 'import { modbus } from "@penstock/mapper-modbus";', /edge may import/],
  ["cloud/src/ingest/a.ts", 'import { route } from "@penstock/api";', /only services, http/],
  ["cloud/src/http/a.ts", 'import { route } from "@penstock/api";', null],
  ["cloud/src/services/a.ts", 'import type { Database } from "../state-schema.ts";', null],
  ["cloud/src/services/a.ts", 'import { Database } from "../state-schema.ts";', /composition/],
  ["cli/src/a.ts", 'import { runCloud } from "@penstock/cloud";', /lazily/],
  ["cli/src/a.ts", 'const cloud = await import("@penstock/cloud");', null],
  ["mappers/modbus/src/a.ts", 'import { x } from "@penstock/wire";', /may import mapper-sdk, model/],
  ["testkit/src/a.ts", 'import { x } from "@penstock/edge";', /testkit may import/],
  ["wire/src/a.ts", 'import { x } from "../../model/src/b.ts";', /leaves wire/],
  ["wire/src/a.ts", 'import { x } from "@penstock/model/src/b.ts";', /only the package itself/],
  ["edge/src/rules/a.ts", 'import { x } from "@penstock/rules/values";', null],
  ["edge/src/rules/a.ts", 'import { x } from "@penstock/rules/run";', /only the package itself/],
  ["edge/src/link/a.ts", 'import { x } from "@penstock/rules/values";', /rules/],
  ["cloud/src/services/test-bench.ts", 'import { x } from "../store/a.ts";', null],
  ["cloud/src/services/a.ts", 'import { x } from "./test-bench.ts";', /for tests only/],
  ["edge/src/link/a.ts", 'import { x } from "./link-fixture.ts";', /for tests only/],
  ["unheard/src/a.ts", "", /no rule/],
];

for (const [path, source, message] of cases) {
  test(`violations() of ${path}: ${source.split("\n")[0]}`, () => {
    const found = violations(path, source);
    if (message === null) assert.deepEqual(found, []);
    else assert.match(found.join("\n"), message);
  });
}
