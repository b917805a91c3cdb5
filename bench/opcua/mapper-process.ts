/** The OPC UA mapper as mapper-host uses it, counting. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MapperConnection, openContext, type Point, type Subscribes, withDefaults } from "@penstock/mapper-sdk";
import { defaultLine } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { opcua } from "../../packages/mappers/opcua/src/index.ts";
import { plantUri } from "../../packages/mappers/opcua/test/plant-server.ts";
import { serveBench } from "../line/forked.ts";
import { type ClientAnswer, type ClientQuestion, everyMs, items, nodeIdOf } from "./shape.ts";

const folder = await mkdtemp(join(tmpdir(), "penstock-bench-opcua-"));
const signal = new AbortController().signal;
const points = Array.from(
  { length: items },
  (_, i): Point => ({
    ...{ device: "d", property: nodeIdOf(i), type: "uint32", address: {}, custom: {}, deviceCustom: {} },
    visitor: withDefaults(opcua.visitor, {
      ...{ nodeId: `nsu=${plantUri};s=${nodeIdOf(i)}`, publishing: everyMs, sampling: 0, queue: 10 },
    }),
  }),
);
let connection: (MapperConnection & Subscribes) | null = null;
let told = 0;

async function answer(question: ClientQuestion): Promise<ClientAnswer> {
  if (question.t === "open") {
    const settings = withDefaults(opcua.connection, { url: `opc.tcp://127.0.0.1:${question.port}` });
    const line = { ...defaultLine, timeoutMs: 10_000, connectTimeoutMs: 20_000 };
    const opened = await opcua.open(settings, openContext({ clock: systemClock(), folder, line }));
    connection = opened as MapperConnection & Subscribes;
    const each = ({ value }: { value: unknown }) => {
      if (value !== null) told++;
    };
    await connection.subscribe(points, { signal, ended: signal, each: (_, result) => each(result) });
  }
  let read = 0;
  const began = performance.now();
  while (question.t === "read" && performance.now() - began < question.ms) {
    const results = await connection!.read(points, { signal });
    read += results.filter(({ value }) => value !== null).length;
  }
  return { told, readPerSecond: (read / (performance.now() - began)) * 1000 };
}

serveBench<ClientQuestion, ClientAnswer>(answer, async () => {
  await connection?.close();
  await rm(folder, { recursive: true, force: true });
});
