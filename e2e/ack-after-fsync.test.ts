import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@penstock/api";
import { dialTls, joinCloud, openIdentity } from "@penstock/edge";
import {
  type BootId,
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  holds,
  type Layout,
  type Micros,
  type Ranges,
} from "@penstock/model";
import { realFiles, systemClock } from "@penstock/runtime";
import { KillableProcess, needs } from "@penstock/testkit";
import { type AnyMessage, encodeBatchBody, openLinkChannel } from "@penstock/wire";
import { fsyncsAndSends } from "./support/system-calls.ts";

const cli = resolve(import.meta.dirname, "../packages/cli/src/main.ts");
const tenant = "default";
const batches = 12;

/**
 * A kill cannot show that a commit waits for the disk: what is written survives it. So the system calls of the real cloud
 * are traced: between a batch's arrival and the end of the fsync behind the write that holds it, nothing goes down the
 * link, so no acknowledgement either.
 */
test("the cloud acknowledges a batch only after the fsync of the log that holds it", needs("strace"), async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-fsync-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const trace = join(folder, "trace");
  mkdirSync(join(folder, "cloud"));
  const calls = "trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg";
  const cloud = new KillableProcess({
    ...{ name: "cloud", command: "strace", readyMs: 60_000 },
    args: [
      ...["-f", "-ttt", "-T", "-yy", "-s", "20000", "-e", calls, "-e", "signal=none", "-o", trace],
      ...[process.execPath, cli, "cloud", "--data-dir", join(folder, "cloud"), "--host", "127.0.0.1"],
      ...["--port", "0", "--local-port", "0", "--until-stdin-ends", "-o", "json"],
    ],
  });
  t.after(() => cloud.kill());
  const first = (await cloud.start()) as {
    address: string;
    localAddress: string;
    login: { user: string; password: string };
  };
  const session = await createClient({ baseUrl: first.localAddress, fetch }).session.login({ body: first.login });
  const client = createClient({ baseUrl: first.localAddress, token: session.token ?? "", fetch });
  const port = Number(new URL(first.address).port);
  const device = await deviceOfNode(client);
  const node = join(folder, "node");
  const { token } = await client.joinTokens.create({
    params: { tenant },
    body: { node: "gw-01", ttl: "10m" },
    idempotencyKey: randomUUID(),
  });
  await joinCloud({ dataDir: node, cloud: `https://127.0.0.1:${port}`, token });

  const sentAt = await sendOneByOne({ node, port, device });
  await cloud.stop();

  const markers = Array.from(sentAt.keys());
  const seen = fsyncsAndSends({ trace: readFileSync(trace, "utf8"), file: "series.db-wal", port, markers });
  for (const [marker, { at, acknowledgedAt }] of sentAt) {
    const syncedAt = seen.syncedAt.get(marker);
    assert.ok(syncedAt !== undefined, `no fsync behind the write of ${marker}`);
    const early = seen.sends.filter((send) => send >= at && send < syncedAt);
    assert.deepEqual(early, [], `sent before the fsync of ${marker} at ${syncedAt}`);
    const acknowledged = seen.sends.filter((send) => send >= syncedAt && send <= acknowledgedAt);
    assert.ok(acknowledged.length > 0, `the acknowledgement of ${marker} is not in the trace`);
  }
});

async function deviceOfNode(client: Client): Promise<DeviceUid> {
  await client.nodes.put({
    params: { tenant, name: "gw-01" },
    body: { metadata: { name: "gw-01" }, spec: {} },
    create: true,
  });
  const name = "traced";
  const { metadata } = await client.devices.put({
    params: { tenant, name },
    create: true,
    body: {
      metadata: { name },
      spec: {
        ...{ node: "gw-01", address: { unitId: 1 } },
        connection: { protocol: "modbus", settings: { host: "127.0.0.1", port: 1 } },
        properties: {
          text: { type: "uint16", access: "read", visitor: { table: "holding", offset: 0, raw: "uint16" } },
        },
      },
    },
  });
  return metadata.uid as DeviceUid;
}

/**
 * Plays a gateway that says nothing but its readings, each batch alone and with a text of its own in it.
 *
 * @returns when each batch was sent and acknowledged, by its text, in seconds of the wall clock
 */
async function sendOneByOne(options: {
  readonly node: string;
  readonly port: number;
  readonly device: DeviceUid;
}): Promise<Map<string, { readonly at: number; readonly acknowledgedAt: number }>> {
  const clock = systemClock();
  const identity = (await openIdentity({ files: realFiles(), folder: options.node }))!;
  const dial = dialTls({ host: "127.0.0.1", port: options.port, credentials: identity.credentials, clock });
  const transport = await dial(AbortSignal.timeout(20_000));
  let heard: (message: AnyMessage) => void = () => {};
  const channel = openLinkChannel({
    ...{ transport, after: clock.after, messageBytes: () => 1_000_000, onHeard: () => {} },
    onMessage: (_lane, message) => heard(message),
    onBroken: (error) => {
      throw error;
    },
    onClose: () => {},
  });
  const answer = (isWanted: (message: AnyMessage) => boolean) =>
    new Promise<void>((resolve) => {
      heard = (message) => {
        if (isWanted(message)) resolve();
      };
    });
  const welcome = answer(({ t }) => t === "welcome");
  const epoch = randomBytes(16).toString("hex") as Epoch;
  const boot = randomBytes(16).toString("hex") as BootId;
  channel.send("control", {
    ...{ t: "hello", versions: { min: 1, max: 1 }, features: [], agent: "0.0.0", boot, epoch },
    ...{ lowest: 1, highest: 0, recovered: 0, time: clock.now(), timeTrusted: true, assignedVersion: 0 },
  });
  await welcome;
  // What the cloud has to say at the beginning is said by then.
  await sleep(1500);
  const layout: Layout = { id: 1, device: options.device, properties: [{ name: "text", type: "string" }] };
  const sentAt = new Map<string, { at: number; acknowledgedAt: number }>();
  for (let seq = 1; seq <= batches; seq++) {
    const marker = `marker-${randomBytes(8).toString("hex")}`;
    const sample = {
      property: "text",
      time: clock.now() as Micros,
      value: marker,
      quality: "good",
      reason: null,
    } as const;
    const body = encodeBatchBody(batchFromSamples({ layout, samples: [sample] }).batch);
    const acknowledged = answer(({ t, ranges }) => t === "ack" && holds(ranges as Ranges, seq, seq));
    const at = wallSeconds();
    const { id, device, properties } = layout;
    channel.send("live", {
      ...{ t: "readings", layouts: seq === 1 ? [{ id, device, properties }] : [] },
      entries: [[seq, 1, layout.id, body]],
    });
    await acknowledged;
    sentAt.set(marker, { at, acknowledgedAt: wallSeconds() });
    await sleep(50);
  }
  channel.close("done");
  return sentAt;
}

function wallSeconds(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
