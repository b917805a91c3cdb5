import assert from "node:assert/strict";
import { test } from "node:test";
import { docsProblems, pageProblems } from "./check-docs.ts";

const there = new Set([
  "docs/images/flow.svg",
  "docs/guides/operate.md",
  "packages/edge/src/main.ts",
  "packages/edge/src",
]);
const check = (text: string) =>
  pageProblems("docs/guides/a.md", text, (path) => there.has(path), new Set(["docs", "packages", "edge"]));

test("pageProblems() finds what people are sent to and is not there", () => {
  assert.deepEqual(check("See [the flow](../images/flow.svg), `operate.md` and `packages/edge/src/main.ts`."), []);
  assert.deepEqual(check("`edge/src/main.ts`, `edge/src/`, `packages/edge/src/*.ts`, `docs/nowhere/<name>.md`"), [
    "docs/guides/a.md: `docs/nowhere/<name>.md`, which does not exist",
  ]);
  assert.match(check("[the flow](flow.svg)").join(), /link to "flow.svg"/);
  assert.match(check('<img src="../images/none.png">').join(), /none\.png/);
  assert.match(check("`packages/edge/src/gone.ts`").join(), /gone\.ts/);
  assert.match(check("`gone.md`").join(), /gone\.md/);
  assert.match(check("```sh\nnpx penstock apply -f docs/none.yaml\n```\n").join(), /none\.yaml/);
});

test("pageProblems() leaves alone what is not a path of the repository", () => {
  const text =
    "`penstock-data/login.json` `GET /openapi.json` `plant/$device` `mqtt://127.0.0.1:1883` `-o json|yaml` [x](https://x.y/z.md)";
  assert.deepEqual(check(text), []);
});

test("pageProblems() finds paths of somebody's machine", () => {
  assert.match(check("Data is in /home/anna/penstock-data").join(), /one machine/);
  assert.match(check("```\n  Data      /root/x\n```\n").join(), /one machine/);
  assert.deepEqual(check("`https://example.org/home/x` and /var/lib/penstock"), []);
});

test("the pages of this repository lead somewhere", () => {
  assert.deepEqual(docsProblems(), []);
});
