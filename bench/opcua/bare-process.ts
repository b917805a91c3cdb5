/** node-opcua's own client doing the same, by its own means. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  ClientSubscription,
  type DataValue,
  OPCUAClient,
  TimestampsToReturn,
} from "node-opcua-client";
import { ownIdentity } from "../../packages/mappers/opcua/src/own-identity.ts";
import { plantUri } from "../../packages/mappers/opcua/test/plant-server.ts";
import { serveBench } from "../line/forked.ts";
import { type ClientAnswer, type ClientQuestion, everyMs, items, nodeIdOf } from "./shape.ts";

const folder = await mkdtemp(join(tmpdir(), "penstock-bench-opcua-"));
const own = await ownIdentity(folder);
const client = OPCUAClient.create({
  endpointMustExist: false,
  applicationUri: own.applicationUri,
  // Otherwise the library keeps a key in the home folder.
  certificateKeyPairProvider: {
    getCertificate: () => own.certificate,
    getCertificateChain: () => [own.certificate],
    getPrivateKey: () => own.privateKey,
  },
});
let session: ClientSession | null = null;
let nodes: { nodeId: string; attributeId: AttributeIds }[] = [];
let told = 0;

async function answer(question: ClientQuestion): Promise<ClientAnswer> {
  if (question.t === "open") {
    await client.connect(`opc.tcp://127.0.0.1:${question.port}`);
    session = await client.createSession();
    const namespace = (await session.readNamespaceArray()).indexOf(plantUri);
    nodes = Array.from({ length: items }, (_, i) => ({
      ...{ nodeId: `ns=${namespace};s=${nodeIdOf(i)}`, attributeId: AttributeIds.Value },
    }));
    const subscription = ClientSubscription.create(session, {
      ...{ requestedPublishingInterval: everyMs, requestedLifetimeCount: 600, requestedMaxKeepAliveCount: 30 },
      ...{ maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 0 },
    });
    const group = await subscription.monitorItems(
      nodes,
      { samplingInterval: 0, queueSize: 10, discardOldest: true },
      TimestampsToReturn.Both,
    );
    group.on("changed", (_item, value: DataValue) => {
      if (value.statusCode.isGood()) told++;
    });
  }
  let read = 0;
  const began = performance.now();
  while (question.t === "read" && performance.now() - began < question.ms) {
    const values = await session!.read(nodes, 0);
    read += values.filter(({ statusCode }) => statusCode.isGood()).length;
  }
  return { told, readPerSecond: (read / (performance.now() - began)) * 1000 };
}

serveBench<ClientQuestion, ClientAnswer>(answer, async () => {
  await session?.close();
  await client.disconnect();
  await rm(folder, { recursive: true, force: true });
});
