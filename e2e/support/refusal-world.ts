import { join } from "node:path";
import type { ErrorCode } from "@penstock/model";
import { CountingProxy, MemoryUnit, ModbusServer } from "@penstock/testkit";
import { type ForeignNode, joinForeign } from "./foreign-gateway.ts";
import { type CloudProcess, type EdgeProcess, eventually, type TestBench } from "./penstock.ts";

/** What came back, whatever the channel. */
export interface Answer {
  /** code of the error table; null where the channel has none (the command line's own grammar, MQTT) */
  readonly code: ErrorCode | null;
  /** HTTP status, exit code, WebSocket close code or MQTT reason code */
  readonly number: number;
  /** all that it says */
  readonly text: string;
}

/** The system that bad input is thrown at: it runs once for the whole table, because nothing may change it. */
export interface World {
  readonly bench: TestBench;
  readonly cloud: CloudProcess;
  readonly edge: EdgeProcess;
  readonly cloudLog: string;
  /** a node whose gateway is not ours */
  readonly foreign: ForeignNode;
  readonly etag: string;
  /** everything that bad input could have changed */
  snapshot(): Promise<unknown>;
  close(): Promise<void>;
}

const tenant = "default";
const writes = new Set([5, 6, 15, 16]);

export async function startWorld(bench: TestBench): Promise<World> {
  const unit = new MemoryUnit({ holding: 20, coil: 4 });
  const plant = await ModbusServer.listen({ units: new Map([[1, unit]]) });
  const proxy = await CountingProxy.listen({ host: "127.0.0.1", port: plant.port });
  const cloudLog = join(bench.folder, "cloud.log");
  const cloud = await bench.startCloud({ logPath: cloudLog });
  const edge = await bench.startEdge(cloud, "gw-01");
  const foreign = await joinForeign(cloud, "gw-foreign");
  const { client } = cloud;
  await client.connections.put({
    params: { tenant, name: "line" },
    body: {
      metadata: { name: "line" },
      spec: { node: "gw-01", protocol: "modbus", settings: { host: "127.0.0.1", port: proxy.port } },
    },
    create: true,
  });
  const at = (offset: number) => ({ visitor: { table: "holding", offset }, collect: { every: "200ms" } });
  const properties = {
    speed: { type: "int16" as const, access: "readWrite" as const, minimum: 0, maximum: 120, ...at(0) },
    total: { type: "int64" as const, access: "readWrite" as const, ...at(4) },
    temperature: { type: "float32" as const, ...at(8) },
  };
  const spec = { node: "gw-01", connection: "line", address: { unitId: 1 }, properties };
  const device = await client.devices.put({
    params: { tenant, name: "press" },
    body: { metadata: { name: "press" }, spec },
    create: true,
  });
  await eventually("readings of the press", async () => {
    const twin = await client.twins.get({ params: { tenant, device: "press" } });
    return twin.properties.every((property) => property.reported?.quality === "good");
  });

  const versionsOf = (page: { items: readonly { metadata: { name: string; resourceVersion: string } }[] }) =>
    page.items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  const of = { params: { tenant } };
  return {
    bench,
    cloud,
    edge,
    cloudLog,
    foreign,
    etag: device.metadata.resourceVersion,
    async snapshot() {
      const twin = await client.twins.get({ params: { tenant, device: "press" } });
      const tokens = await client.joinTokens.list(of);
      return {
        tenants: versionsOf(await client.tenants.list({})),
        users: versionsOf(await client.users.list({})),
        nodes: versionsOf(await client.nodes.list(of)),
        connections: versionsOf(await client.connections.list(of)),
        deviceModels: versionsOf(await client.deviceModels.list(of)),
        devices: versionsOf(await client.devices.list(of)),
        desired: twin.properties.map(({ property, desired }) => [property, desired?.version ?? null]),
        joinTokens: tokens.items.map(({ id, usedAt, revokedAt }) => [id, usedAt, revokedAt]),
        registers: [...unit.holding],
        writes: proxy.requests.filter((request) => writes.has(request.function)),
      };
    },
    async close() {
      await proxy.close();
      await plant.close();
    },
  };
}
