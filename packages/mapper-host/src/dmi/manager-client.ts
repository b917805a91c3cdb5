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
const readyWithinMs = 2000;
/** in a row, before a connection is given up */
const mostFailures = 3;

export interface ManagerClientOptions {
  /** the connection is gone: a manager that comes back may know nothing of us */
  onLost(): void;
  /** how long a call waits for its answer, 10 s unless stated */
  readonly withinMs?: number;
}

export async function openManagerClient(
  path: string,
  { onLost, withinMs = 10_000 }: ManagerClientOptions,
): Promise<ManagerClient> {
  const grpc = await loadGrpc();
  const connect = () =>
    new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2000,
      "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
      "grpc.enable_channelz": 0,
      // Else a new client would get the old one's connection.
      "grpc.use_local_subchannel_pool": 1,
    });
  const { connectivityState: is, status } = grpc;
  let client = connect();
  let isClosed = false;
  let isWatched = false;
  let failures = 0;
  const watch = (from: number): void => {
    const watched = client;
    watched.getChannel().watchConnectivityState(from, Number.POSITIVE_INFINITY, () => {
      if (isClosed || watched !== client) return;
      const now = client.getChannel().getConnectivityState(true);
      if (now === is.READY) return watch(now);
      isWatched = false;
      onLost();
    });
  };
  /**
   * A connection on which calls fail may answer none any more: what was given up of answers longer than anybody takes stays
   * in the manager's memory until no stream has room (RFC 9113, 5.2), and nothing but its end mends that.
   */
  const anew = (): void => {
    if (isClosed) return;
    const given = client;
    // First, so that what ends with the old one counts for nothing.
    client = connect();
    given.close();
    failures = 0;
    isWatched = false;
    onLost();
  };
  const call = <Answer extends object>(method: keyof typeof service, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { path: at, requestSerialize, responseDeserialize } = service[method];
      const deadline = Date.now() + withinMs;
      const asked = client;
      asked.makeUnaryRequest(at, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) => {
        if (error === null) {
          failures = 0;
          resolve(answer as Answer); // what the method's own decoder made
          return;
        }
        if (asked === client && (++failures >= mostFailures || error.code === status.DEADLINE_EXCEEDED)) anew();
        reject(error);
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
