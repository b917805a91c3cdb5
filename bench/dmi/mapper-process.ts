/** A mapper that speaks DMI, as cheap as one can be made: plain HTTP/2, and one clock for all reports of a moment. */
import type { Server } from "@grpc/grpc-js";
import { decodeDmi, dmiServiceDefinition, encodeDmi } from "@penstock/wire";
import { answeringServer } from "../../e2e/dmi/answering-server.ts";
import { BareGrpcClient } from "../../e2e/dmi/bare-grpc-client.ts";
import { serveBench } from "../line/forked.ts";
import { device, type MapperAnswer, type MapperQuestion, properties, protocol, tenant } from "./shape.ts";

const { MapperRegister, ReportDeviceStatus } = dmiServiceDefinition("v1beta1.DeviceManagerService");
const inFlight = 8;
let own: Server | null = null;

async function register({ manager, own: path }: Extract<MapperQuestion, { readonly t: "register" }>) {
  own = await answeringServer(path, ["v1beta1.DeviceMapperService"]);
  const client = new BareGrpcClient(manager);
  const mapper = { name: "bench", version: "1", api_version: "v1beta1", protocol, state: "" };
  const { status, body } = await client.call(
    MapperRegister.path,
    encodeDmi("MapperRegisterRequest", {
      ...{ withData: true, mapper: { ...mapper, address: new TextEncoder().encode(path) } },
    }),
  );
  client.close();
  if (status !== 0) throw new Error(`The registration ended with gRPC status ${status}`);
  return decodeDmi("MapperRegisterResponse", body).deviceList.length;
}

function message(each: number, value: number): Uint8Array {
  const metadata = new Map([["timestamp", String(Date.now())]]);
  const twins = properties
    .slice(0, each)
    .map((propertyName) => ({ propertyName, observedDesired: null, reported: { value: String(value), metadata } }));
  const reportedDevice = { twins, reportToCloud: false, reportCycle: 0 };
  return encodeDmi("ReportDeviceStatusRequest", { deviceName: device, deviceNamespace: tenant, reportedDevice });
}

async function report({ manager, each, ms, callsPerSecond }: Extract<MapperQuestion, { readonly t: "report" }>) {
  const client = new BareGrpcClient(manager);
  const tookMs: number[] = [];
  let refused = 0;
  let begun = 0;
  const from = performance.now();
  const elapsed = () => performance.now() - from;
  const caller = async () => {
    while (elapsed() < ms) {
      if (callsPerSecond !== null && begun >= (elapsed() / 1000) * callsPerSecond) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      const at = performance.now();
      const { status } = await client.call(ReportDeviceStatus.path, message(each, ++begun));
      if (status === 0) tookMs.push(performance.now() - at);
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const seconds = elapsed() / 1000;
  client.close();
  tookMs.sort((a, b) => a - b);
  const calls = tookMs.length;
  return { devices: 0, calls, refused, perSecond: calls / seconds, p99Ms: tookMs[Math.floor(calls * 0.99)] ?? 0 };
}

serveBench<MapperQuestion, MapperAnswer>(
  async (question) =>
    question.t === "report"
      ? report(question)
      : { devices: await register(question), calls: 0, refused: 0, perSecond: 0, p99Ms: 0 },
  async () => own?.forceShutdown(),
);
