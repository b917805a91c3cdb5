import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, settle, simDisk } from "@penstock/testkit";
import { rule, site } from "../rules-fixture.ts";
import { openSources } from "./open-source.ts";

test("a rule reads a file that grows and writes another file and to a server", async () => {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    request.on("data", (chunk) => heard.push(String(chunk)));
    request.on("end", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const clock = new SimClock();
  const { files } = simDisk({ random: new SimRandom(1) });
  const folder = "/data/rules";
  const sources = { ...{ clock, files, folder, node: "n1", log: silentLog, random: new SimRandom(2) } };
  const openSource = openSources({
    ...sources,
    metrics: metricsRegistry(),
    listen: () => ({ close: async () => {} }),
  });
  const { apply, rules, statusOf } = site({ clock, files, folder, openSource });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/\${batch}`;
  apply([
    rule("lab", "SELECT batch, ph * 10 AS tenths FROM samples WHERE ph < 7", {
      sources: { samples: { file: { name: "lab.csv", format: "csv" }, columns: "batch string, ph float" } },
      actions: [{ file: { name: "sour.jsonl" } }, { http: { url, batch: { rows: 2 } } }],
    }),
    rule("away", "SELECT * FROM s", { sources: { s: { file: { name: "../keys" } } } }),
  ]);
  assert.match(statusOf("away").message ?? "", /a name is not empty and does not start with a dot/);
  const file = await files.openAppend(`${folder}/files/in/lab.csv`);
  await file.append(new TextEncoder().encode("batch,ph\n007,6.5\n008,7.5\n009,6.25\n"));
  await clock.advanceAsync(3_000);
  while (heard.length < 2) await settle();
  assert.equal(
    new TextDecoder().decode(await files.readAll(`${folder}/files/sour.jsonl`)),
    '{"batch":"007","tenths":65}\n{"batch":"009","tenths":62.5}\n',
  );
  assert.deepEqual(heard, ['[{"batch":"007","tenths":65}]', '[{"batch":"009","tenths":62.5}]']);
  const closed = rules.close();
  await clock.advanceAsync(3_000);
  await closed;
  server.closeAllConnections();
  server.close();
});
