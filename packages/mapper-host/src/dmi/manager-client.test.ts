import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openManagerClient } from "./manager-client.ts";

/** A manager whose calls are answered in turn: by bytes of so great a message, or by nothing at all. */
async function manager(answers: readonly ("right" | "huge" | "none")[]) {
  const folder = mkdtempSync(join(tmpdir(), "penstock-dmi-"));
  const path = join(folder, "manager.sock");
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  let calls = 0;
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.resume();
    const answer = answers[calls++] ?? "right";
    if (answer === "none") return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    // A length-prefixed message; the right one is empty.
    const bytes = Buffer.alloc(answer === "huge" ? 6 * 1024 * 1024 : 5);
    bytes.writeUInt32BE(bytes.length - 5, 1);
    stream.end(bytes);
  });
  await new Promise<void>((done) => server.listen(path, done));
  const close = () => {
    for (const session of sessions) session.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { path, close, connections: () => sessions.size };
}

const report = { deviceName: "pump", deviceNamespace: "acme", reportedDevice: null };

test("a call without an answer ends in its time, and the next one has a connection of its own", async (t) => {
  const { path, close, connections } = await manager(["right", "none", "right"]);
  t.after(close);
  let lost = 0;
  const client = await openManagerClient(path, { onLost: () => lost++, withinMs: 300 });
  t.after(() => client.close());
  await client.status(report);
  await assert.rejects(client.status(report), /DEADLINE_EXCEEDED/);
  assert.equal(lost, 1, "who may know nothing of us is registered at again");
  await client.status(report);
  assert.equal(connections(), 2);
});

test("answers longer than anybody takes do not silence those after them", async (t) => {
  const { path, close, connections } = await manager(["huge", "huge"]);
  t.after(close);
  const client = await openManagerClient(path, { onLost: () => {}, withinMs: 300 });
  t.after(() => client.close());
  for (let n = 0; n < 3; n++) await assert.rejects(client.status(report), /RESOURCE_EXHAUSTED/);
  // Without a new connection every further call would be refused for want of bandwidth.
  await client.status(report);
  assert.equal(connections(), 2);
});
