/** The cloud's half of the line: one port, link, ingest and series store as they ship, in a process of their own. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import type { NodeUid } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { openAuthority } from "../../packages/cloud/src/authority/authority.ts";
import { createIngest } from "../../packages/cloud/src/ingest/create-ingest.ts";
import { createLinkServer } from "../../packages/cloud/src/link/link-server.ts";
import { openOnePort } from "../../packages/cloud/src/link/one-port.ts";
import { benchTenant, hexOf, openBenchStore } from "../bench-store.ts";
import { anyControl } from "./any-control.ts";
import { serveBench } from "./forked.ts";

export interface NodeCredentials {
  readonly node: string;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly trustBundlePem: string;
}
export type CloudAsk =
  | { readonly t: "open"; readonly folder: string; readonly nodes: readonly string[] }
  /** resolves when so many readings are committed and nothing is due for sealing */
  | { readonly t: "reached"; readonly readings: number }
  /** readings up to this sequence number are backlog, later ones live; for one gateway, before it connects */
  | { readonly t: "watch"; readonly highest: number }
  /** resolves when all of the backlog is committed, with the delays of what came live meanwhile */
  | { readonly t: "drained" };
export interface CloudAnswer {
  readonly port: number;
  readonly nodes: readonly NodeCredentials[];
  /** monotonic microseconds when the count was reached, and when sealing had caught up */
  readonly reachedAt: number;
  readonly sealedAt: number;
  readonly commits: number;
  /** milliseconds from a batch's own time to its commit */
  readonly delays: readonly number[];
}

const clock = systemClock();
const nothing: CloudAnswer = { port: 0, nodes: [], reachedAt: 0, sealedAt: 0, commits: 0, delays: [] };
let close = async () => {};
let store: Awaited<ReturnType<typeof openBenchStore>> | null = null;
let committed = 0;
let commits = 0;
let backlog = { highest: Number.POSITIVE_INFINITY, committed: 0 };
const delays: number[] = [];
let onCommitted = () => {};

serveBench<CloudAsk, CloudAnswer>(
  async (ask) => {
    switch (ask.t) {
      case "open":
        return open(ask);
      case "reached": {
        await new Promise<void>((resolve) => {
          onCommitted = () => committed >= ask.readings && resolve();
          onCommitted();
        });
        const reachedAt = clock.monotonic();
        await store!.sealed();
        return { ...nothing, reachedAt, sealedAt: clock.monotonic(), commits };
      }
      case "watch":
        backlog = { highest: ask.highest, committed: 0 };
        return nothing;
      case "drained":
        await new Promise<void>((resolve) => {
          onCommitted = () => backlog.committed >= backlog.highest && resolve();
          onCommitted();
        });
        return { ...nothing, reachedAt: clock.monotonic(), delays };
    }
  },
  () => close(),
);

async function open(ask: CloudAsk & { t: "open" }): Promise<CloudAnswer> {
  const metrics = metricsRegistry();
  const random = systemRandom;
  const opened = await openBenchStore(ask.folder);
  store = opened;
  const authority = await openAuthority({ files: realFiles(), folder: join(ask.folder, "authority"), clock, random });
  const ingest = createIngest({
    store: {
      openSource: (who) => opened.openSource(who),
      defineLayout: (tenant, layout) => opened.defineLayout(tenant, layout),
      async commit(commit) {
        await opened.commit(commit);
        commits++;
      },
    },
    wasAssigned: anyControl.wasAssigned,
    onCommitted({ firstSeq, batch }) {
      committed += batch.count;
      if (firstSeq <= backlog.highest) backlog.committed += batch.count;
      else delays.push((clock.now() - batch.baseTime) / 1000);
      onCommitted();
    },
    log: silentLog,
    metrics,
  });
  const server = createLinkServer({ ingest, control: anyControl, clock, log: silentLog, metrics });
  const { keyPem, chainPem } = await authority.serverCertificate(["localhost", "127.0.0.1"]);
  const { trustBundlePem } = authority;
  const port = await openOnePort({
    ...{ port: 0, host: "127.0.0.1", keyPem, chainPem, trustBundlePem, clock, log: silentLog, metrics },
    request: (_request, response) => response.writeHead(404).end(),
    accept: (transport, peer) => server.accept(transport, peer),
  });
  close = async () => {
    await server.close();
    await port.close();
    await opened.close();
  };
  return { ...nothing, port: port.port, nodes: await Promise.all(ask.nodes.map((node) => issue(authority, node))) };
}

async function issue(authority: Awaited<ReturnType<typeof openAuthority>>, node: string): Promise<NodeCredentials> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKeyDer = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const made = await authority.issueNode({ tenant: benchTenant, node: hexOf<NodeUid>(node), publicKeyDer });
  const keyPem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  return { node, keyPem, certificatePem: made.certificatePem, trustBundlePem: made.trustBundlePem };
}
