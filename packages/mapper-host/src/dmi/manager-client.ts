import { type DmiMapperInfo, type DmiMessages, dmiServiceDefinition } from "@penstock/wire";
import { loadGrpc } from "./load-grpc.ts";

/** The manager's end of DMI: EdgeCore's, or that of a gateway of ours. */
export interface ManagerClient {
  register(mapper: DmiMapperInfo): Promise<DmiMessages["MapperRegisterResponse"]>;
  status(request: DmiMessages["ReportDeviceStatusRequest"]): Promise<void>;
  states(request: DmiMessages["ReportDeviceStatesRequest"]): Promise<void>;
  /** resolves when the manager's socket listens, rejects when it does not soon */
  ready(): Promise<void>;
  close(): void;
}

const service = dmiServiceDefinition("v1beta1.DeviceManagerService");
const withinMs = 10_000;
const readyWithinMs = 2000;

/** @param onLost  the connection is gone: a manager that comes back may know nothing of us */
export async function openManagerClient(path: string, onLost: () => void): Promise<ManagerClient> {
  const grpc = await loadGrpc();
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
    "grpc.enable_channelz": 0,
  });
  const { connectivityState: is } = grpc;
  let isClosed = false;
  let isWatched = false;
  const watch = (from: number): void => {
    client.getChannel().watchConnectivityState(from, Number.POSITIVE_INFINITY, () => {
      if (isClosed) return;
      const now = client.getChannel().getConnectivityState(true);
      if (now === is.READY) return watch(now);
      isWatched = false;
      onLost();
    });
  };
  const call = <Answer extends object>(method: keyof typeof service, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { path: at, requestSerialize, responseDeserialize } = service[method];
      const deadline = Date.now() + withinMs;
      client.makeUnaryRequest(at, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) => {
        if (error === null)
          resolve(answer as Answer); // what the method's own decoder made
        else reject(error);
      });
    });
  return {
    register: (mapper) => call("MapperRegister", { withData: true, mapper }),
    status: async (request) => void (await call("ReportDeviceStatus", request)),
    states: async (request) => void (await call("ReportDeviceStates", request)),
    ready: () =>
      new Promise((resolve, reject) => {
        client.waitForReady(Date.now() + readyWithinMs, (error) => {
          if (error !== undefined) return reject(error);
          if (!isWatched && !isClosed) {
            isWatched = true;
            watch(is.READY);
          }
          resolve();
        });
      }),
    close() {
      isClosed = true;
      client.close();
    },
  };
}
