import assert from "node:assert/strict";
import { test } from "node:test";
import { pinoLog } from "./pino-log.ts";

test("pinoLog writes JSON lines with stage fields, hides secrets and keeps the cause chain", () => {
  const lines: string[] = [];
  const log = pinoLog({ level: "debug", program: "test", destination: { write: (line) => void lines.push(line) } });
  assert.equal(log.tracing, false);
  log.trace({}, "not written");
  log
    .with({ stage: "link" })
    .warn({ error: new Error("outer", { cause: new Error("inner") }), user: { password: "p" }, token: "t" }, "refused");
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0]!);
  assert.equal(line.level, "warn");
  assert.equal(line.stage, "link");
  assert.equal(line.msg, "refused");
  assert.equal(line.token, "(hidden)");
  assert.equal(line.user.password, "(hidden)");
  assert.match(JSON.stringify(line.error), /inner/);
});
