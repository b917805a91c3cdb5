import { rm } from "node:fs/promises";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { AppError, codeOf, type ErrorCode } from "@penstock/model";
import { type DmiMessages, dmiServiceDefinition } from "@penstock/wire";
import { loadGrpc } from "./load-grpc.ts";

/** What a manager asks of a mapper. What is thrown becomes the call's status. */
export interface MapperHandlers {
  register(request: DmiMessages["RegisterDeviceRequest"]): void;
  update(request: DmiMessages["UpdateDeviceRequest"]): void;
  remove(request: DmiMessages["RemoveDeviceRequest"]): void;
  model(request: DmiMessages["CreateDeviceModelRequest"]): void;
  removeModel(request: DmiMessages["RemoveDeviceModelRequest"]): void;
  get(request: DmiMessages["GetDeviceRequest"]): DmiMessages["GetDeviceResponse"];
}

/** EdgeCore makes one at a time. Those that never end would hold what they have sent. */
const mostCalls = 64;

/** Listens for the manager at a path, for the socket's owner alone; what was left there by an earlier process goes. */
export async function openMapperServer(path: string, handlers: MapperHandlers): Promise<{ close(): void }> {
  const grpc = await loadGrpc();
  const server = new grpc.Server({ "grpc.enable_channelz": 0, "grpc.max_concurrent_streams": mostCalls });
  const answering =
    <Request, Answer extends object>(handle: (request: Request) => Answer) =>
    ({ request }: ServerUnaryCall<Request, Answer>, answer: sendUnaryData<Answer>) => {
      try {
        answer(null, handle(request));
      } catch (error) {
        const details = error instanceof AppError ? error.message : "internal";
        answer({ code: statuses[codeOf(error)] ?? grpc.status.INTERNAL, details });
      }
    };
  const done =
    <Request>(handle: (request: Request) => void) =>
    (request: Request) => {
      handle(request);
      return {};
    };
  const implementation: UntypedServiceImplementation = {
    RegisterDevice: answering((request: DmiMessages["RegisterDeviceRequest"]) => {
      handlers.register(request);
      const { name = "", namespace = "" } = request.device ?? {};
      return { deviceName: name, deviceNamespace: namespace };
    }),
    UpdateDevice: answering(done(handlers.update)),
    RemoveDevice: answering(done(handlers.remove)),
    CreateDeviceModel: answering((request: DmiMessages["CreateDeviceModelRequest"]) => {
      handlers.model(request);
      const { name = "", namespace = "" } = request.model ?? {};
      return { deviceModelName: name, deviceModelNamespace: namespace };
    }),
    UpdateDeviceModel: answering(done(handlers.model)),
    RemoveDeviceModel: answering(done(handlers.removeModel)),
    GetDevice: answering(handlers.get),
  };
  server.addService(dmiServiceDefinition("v1beta1.DeviceMapperService"), implementation);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    // The socket is made within the call, so no moment passes in which others could open it.
    const before = process.umask(0o177);
    server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
    process.umask(before);
  });
  return { close: () => server.forceShutdown() };
}

/** @source gRPC status codes */
const statuses: Partial<Record<ErrorCode, number>> = {
  "input/invalid": 3,
  "twin/out-of-range": 3,
  "twin/read-only": 3,
  "twin/wrong-type": 3,
  "resource/not-found": 5,
  "request/too-many": 8,
};
