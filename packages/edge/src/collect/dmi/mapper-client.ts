import type { Client } from "@grpc/grpc-js";
import { AppError, type ErrorCode } from "@penstock/model";
import { type DmiMessages, dmiServiceDefinition } from "@penstock/wire";
import { loadGrpc } from "./load-grpc.ts";

/** The mapper's end of DMI, as far as a gateway asks it: GetDevice is not among them, mappers of the framework fall over it. */
export interface MapperClient {
  call<M extends DownCall>(method: M, message: DmiMessages[DownCalls[M]]): Promise<void>;
  /** resolves when the mapper's socket listens. @throws AppError mapper/connect-failed */
  ready(): Promise<void>;
  close(): void;
}
interface DownCalls {
  RegisterDevice: "RegisterDeviceRequest";
  RemoveDevice: "RemoveDeviceRequest";
  UpdateDevice: "UpdateDeviceRequest";
  CreateDeviceModel: "CreateDeviceModelRequest";
  RemoveDeviceModel: "RemoveDeviceModelRequest";
  UpdateDeviceModel: "UpdateDeviceModelRequest";
}
export type DownCall = keyof DownCalls;
export type OpenClient = (options: { readonly path: string; readonly onLost: () => void }) => Promise<MapperClient>;

/** As EdgeCore has it. */
const callWithinMs = 10_000;
const readyWithinMs = 2000;
const service = dmiServiceDefinition("v1beta1.DeviceMapperService");

/**
 * A channel to the socket that a mapper named. `onLost` is called when a connection that stood is gone: that a process was
 * killed is known at once, without asking.
 */
export const openMapperClient: OpenClient = async ({ path, onLost }) => {
  const grpc = await loadGrpc();
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    // A silent channel is no sign that nobody needs it.
    "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
    "grpc.enable_channelz": 0,
  });
  const { connectivityState: is } = grpc;
  let isClosed = false;
  let isWatched = false;
  const watch = (client: Client, from: number): void => {
    client.getChannel().watchConnectivityState(from, Number.POSITIVE_INFINITY, () => {
      if (isClosed) return;
      const now = client.getChannel().getConnectivityState(true);
      if (now !== is.TRANSIENT_FAILURE && now !== is.SHUTDOWN) return watch(client, now);
      isWatched = false;
      onLost();
    });
  };
  return {
    call: (method, message) =>
      new Promise((resolve, reject) => {
        const { path: at, requestSerialize, responseDeserialize } = service[method];
        const deadline = Date.now() + callWithinMs;
        client.makeUnaryRequest(at, requestSerialize, responseDeserialize, message, { deadline }, (error) => {
          if (error === null) resolve();
          else reject(new AppError(codes[error.code] ?? "mapper/device-failure", `${method}: ${error.details}`));
        });
      }),
    ready: () =>
      new Promise((resolve, reject) => {
        client.waitForReady(Date.now() + readyWithinMs, (error) => {
          if (error !== undefined)
            return reject(new AppError("mapper/connect-failed", `No mapper listens at "${path}"`));
          if (!isWatched && !isClosed) {
            isWatched = true;
            watch(client, is.READY);
          }
          resolve();
        });
      }),
    close() {
      isClosed = true;
      client.close();
    },
  };
};

/** @source gRPC status codes */
const codes: Readonly<Record<number, ErrorCode>> = {
  1: "aborted",
  3: "mapper/value-refused",
  4: "mapper/timeout",
  8: "mapper/device-busy",
  9: "mapper/value-refused",
  11: "mapper/value-out-of-range",
  12: "mapper/unsupported",
  14: "mapper/connection-lost",
};
