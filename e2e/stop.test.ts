import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ForeignGateway, foreignHello, joinForeign } from "./support/foreign-gateway.ts";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

// A gateway that hears why waits and comes back; one whose socket just ends cannot tell a stop from a broken line.
test("a cloud that is told to stop tells its gateways and answers who waits, before their connections end", async () => {
  const cloud = await bench.startCloud();
  const node = await joinForeign(cloud, "gw-stop");
  const gateway = await ForeignGateway.open(cloud, node);
  gateway.say(foreignHello);
  await eventually("a welcome", () => gateway.answers.some(({ t }) => t === "welcome"));
  const stream = await fetch(`${cloud.localAddress}/api/v1/live?tenant=default&device=none`, {
    headers: { authorization: `Bearer ${cloud.token}` },
  });
  const text = stream.text();
  process.kill(cloud.process.pid!, "SIGTERM");
  const { code, reason } = await gateway.ended;
  const last = gateway.answers.at(-1);
  assert.deepEqual([last?.t, last?.code, code, reason], ["refused", "link/closed", 1000, "The cloud stops"]);
  // Ends as a stream ends: a connection that is cut would reject.
  await text;
});
