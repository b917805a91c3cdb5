import { createServer, type Server, type Socket } from "node:net";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { AppError, codeOf, type ErrorCode } from "@penstock/model";
import type { Files, Log } from "@penstock/runtime";
import { type DmiMessages, dmiServiceDefinition } from "@penstock/wire";
import { loadGrpc } from "./load-grpc.ts";

export interface DmiHandlers {
  register(request: DmiMessages["MapperRegisterRequest"]): DmiMessages["MapperRegisterResponse"];
  status(request: DmiMessages["ReportDeviceStatusRequest"]): void;
  states(request: DmiMessages["ReportDeviceStatesRequest"]): void;
}
export interface DmiServer {
  close(): Promise<void>;
}

/** A path of a UNIX socket has room for so many bytes. @source unix(7) */
const longestPath = 107;
/** A report of 10,000 properties has under one. */
const mostMessageBytes = 4 * 1024 * 1024;

/**
 * Listens for DMI mappers, for the socket's owner alone. The gRPC library is loaded when the first of them comes: a gateway
 * without any pays nothing for it.
 *
 * @throws AppError port/in-use when another program listens there, input/invalid for a path that is too long
 */
export async function openDmiServer(options: {
  readonly path: string;
  readonly handlers: DmiHandlers;
  readonly files: Pick<Files, "exists" | "remove">;
  readonly log: Log;
}): Promise<DmiServer> {
  const { path, handlers, files, log } = options;
  if (Buffer.byteLength(path) > longestPath) {
    const rule = `must have at most ${longestPath} bytes`;
    throw new AppError("input/invalid", `Cannot listen for DMI mappers at "${path}": ${rule}`, {
      fields: [{ field: "--dmi-socket", value: path, rule }],
    });
  }
  let grpc: Promise<Injected> | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    grpc ??= injected(handlers, log);
    grpc.then(
      ({ inject }) => socket.destroyed || inject(socket),
      (error: unknown) => {
        log.error({ error }, "Cannot serve a DMI mapper");
        socket.destroy();
      },
    );
  });
  await listen(server, path, files);
  log.info({ path }, "Listening for DMI mappers");
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      (await grpc?.catch(() => null))?.close();
      await closed;
    },
  };
}

interface Injected {
  inject(socket: Socket): void;
  close(): void;
}

async function injected(handlers: DmiHandlers, log: Log): Promise<Injected> {
  const grpc = await loadGrpc();
  const server = new grpc.Server({ "grpc.max_receive_message_length": mostMessageBytes, "grpc.enable_channelz": 0 });
  /** Every method answers, whatever it throws: a mapper's message must not end the agent. */
  const answering =
    <Request, Answer>(handle: (request: Request) => Answer) =>
    ({ request }: ServerUnaryCall<Request, Answer>, answer: sendUnaryData<Answer>) => {
      try {
        answer(null, handle(request));
      } catch (error) {
        const code = codeOf(error);
        if (code === "internal") log.error({ error }, "A message of a DMI mapper failed");
        answer({
          code: statuses[code] ?? grpc.status.INTERNAL,
          details: error instanceof AppError ? error.message : "",
        });
      }
    };
  const implementation: UntypedServiceImplementation = {
    MapperRegister: answering(handlers.register),
    ReportDeviceStatus: answering((request: DmiMessages["ReportDeviceStatusRequest"]) => {
      handlers.status(request);
      return {};
    }),
    ReportDeviceStates: answering((request: DmiMessages["ReportDeviceStatesRequest"]) => {
      handlers.states(request);
      return {};
    }),
  };
  server.addService(dmiServiceDefinition("v1beta1.DeviceManagerService"), implementation);
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  return {
    inject: (socket) => injector.injectConnection(socket),
    close: () => server.forceShutdown(),
  };
}

/** @source gRPC status codes: what a mapper's own language makes of them */
const statuses: Partial<Record<ErrorCode, number>> = {
  "input/invalid": 3,
  "resource/not-found": 5,
  "request/too-many": 8,
  "mapper/unsupported": 9,
};

async function listen(server: Server, path: string, files: Pick<Files, "exists" | "remove">): Promise<void> {
  try {
    await listenOnce(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    // One that a killed agent left behind; the data folder's lock says that it is gone. An own path may be somebody else's.
    if (await isAnswered(path)) {
      throw new AppError("port/in-use", `Cannot listen for DMI mappers at "${path}": another program does`, {
        cause: error,
      });
    }
    if (await files.exists(path)) await files.remove(path);
    await listenOnce(server, path);
  }
}

function listenOnce(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // The socket is made within listen(), so no moment passes in which others could open it.
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

async function isAnswered(path: string): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
