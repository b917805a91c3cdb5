import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { MessageSecurityMode, SecurityPolicy } from "node-opcua-client";
import { CutProxy } from "../test/cut-proxy.ts";
import { openFor, point } from "../test/open-for.ts";
import { PlantServer } from "../test/plant-server.ts";

let plant: PlantServer;
let folder: string;
const signal = new AbortController().signal;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "penstock-opcua-"));
  plant = await PlantServer.start({
    counters: 20,
    policies: [SecurityPolicy.None, SecurityPolicy.Aes256_Sha256_RsaPss],
    modes: [MessageSecurityMode.None, MessageSecurityMode.Sign],
  });
  await mkdir(join(folder, "trusted"));
  await copyFile(join(plant.folder, "own/certificate.pem"), join(folder, "trusted/plant.pem"));
});
after(async () => {
  await plant.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Counts while the line is cut and the server forgets the session meanwhile, its subscriptions not. */
async function forgotten(settings: Readonly<Record<string, unknown>>, clean: (work: () => Promise<unknown>) => void) {
  const proxy = new CutProxy(() => plant.port);
  clean(() => proxy.close());
  const port = await proxy.listen();
  const { connection, close, lost } = await openFor(`opc.tcp://127.0.0.1:${port}`, settings, { folder });
  clean(close);
  plant.raise(0);
  const told: unknown[][] = plant.counters.map(() => []);
  let news = 0;
  const each = (row: number, { value }: { readonly value: unknown }) => {
    told[row]!.push(value);
    news++;
  };
  const points = told.map((_, i) => point(`count${i}`, "uint32", { publishing: 50, sampling: 0, queue: 1000 }));
  await connection.subscribe(points, { signal, ended: new AbortController().signal, each });
  const until = async (isEnough: () => boolean) => {
    for (let i = 0; i < 300 && !isEnough(); i++) await wait(50);
  };
  await until(() => news === told.length);
  let value = 0;
  const raising = setInterval(() => plant.raise(++value), 5);
  await wait(300);
  proxy.cut();
  await wait(200);
  // As after its time-out, which a server may make as short as it likes.
  const { engine } = plant.server;
  const { _sessions: sessions } = engine as unknown as {
    readonly _sessions: Record<string, { authenticationToken: never }>;
  };
  for (const { authenticationToken } of Object.values(sessions))
    engine.closeSession(authenticationToken, false, "Timeout");
  await wait(300);
  const before = news;
  proxy.heal();
  await until(() => news > before || lost.length > 0);
  clearInterval(raising);
  plant.raise(++value);
  if (lost.length === 0) await until(() => told.every((values) => values.at(-1) === value));
  return { told, lost, value };
}

// A server may keep sessions for less long than the queues of their subscriptions last.
test("a session that the server has forgotten gives its subscriptions to the next one, and no change is lost", async (t) => {
  const { told, lost, value } = await forgotten({ policy: "Aes256_Sha256_RsaPss", mode: "Sign" }, (work) =>
    t.after(work),
  );
  assert.deepEqual(lost, []);
  const every = Array.from({ length: value + 1 }, (_, i) => i);
  for (const values of told) assert.deepEqual(values, every);
  assert.equal(plant.server.engine.currentSubscriptionCount, 1);
});

test("subscriptions of nobody over an open line are not given away: the connection is lost, and all is subscribed to anew", async (t) => {
  const { lost } = await forgotten({}, (work) => t.after(work));
  assert.deepEqual(lost, ["mapper/connection-lost"]);
});
