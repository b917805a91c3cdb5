import { createServer, type Server, type Socket } from "node:net";
import { AppError, type ErrorCode } from "@penstock/model";
import type { Files, Log } from "@penstock/runtime";
import { type DmiMessages, decodeDmi, dmiServiceDefinition, encodeDmi } from "@penstock/wire";
import { type UnaryServer, unaryServer } from "./unary-server.ts";

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
/** Mappers of KubeEdge's framework open a connection for each report. */
const mostConnections = 512;

/**
 * Listens for DMI mappers, for the socket's owner alone. HTTP/2 is loaded when the first of them comes: a gateway without any pays
 * nothing for it.
 *
 * @throws AppError port/in-use when another program listens there, input/invalid for a path that is too long
 */
export async function openDmiServer(options: {
  readonly path: string;
  readonly handlers: DmiHandlers;
  readonly files: Pick<Files, "exists" | "remove">;
  readonly log: Log;
  /** a call, or a connection before any call, that was refused */
  onRefused(code: ErrorCode): void;
}): Promise<DmiServer> {
  const { path, handlers, files, log, onRefused } = options;
  if (Buffer.byteLength(path) > longestPath) {
    const rule = `must have at most ${longestPath} bytes`;
    throw new AppError("input/invalid", `Cannot listen for DMI mappers at "${path}": ${rule}`, {
      fields: [{ field: "--dmi-socket", value: path, rule }],
    });
  }
  let unary: Promise<UnaryServer> | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    unary ??= unaryServer({
      ...{ methods: methodsOf(handlers), statuses },
      onRefused(code, error) {
        onRefused(code);
        if (code === "internal") log.error({ error }, "A message of a DMI mapper failed");
      },
    });
    unary.then(
      ({ serve }) => socket.destroyed || serve(socket),
      (error: unknown) => {
        log.error({ error }, "Cannot serve a DMI mapper");
        socket.destroy();
      },
    );
  });
  server.maxConnections = mostConnections;
  server.on("drop", () => onRefused("request/too-many"));
  await listen(server, path, files);
  log.info({ path }, "Listening for DMI mappers");
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Whatever a handler throws is answered: a mapper's message must not end the agent. */
function methodsOf({ register, status, states }: DmiHandlers): Map<string, (request: Uint8Array) => Uint8Array> {
  const { MapperRegister, ReportDeviceStatus, ReportDeviceStates } =
    dmiServiceDefinition("v1beta1.DeviceManagerService");
  const nothing = new Uint8Array();
  return new Map([
    [
      MapperRegister.path,
      (request) => encodeDmi("MapperRegisterResponse", register(decodeDmi("MapperRegisterRequest", request))),
    ],
    [
      ReportDeviceStatus.path,
      (request) => {
        status(decodeDmi("ReportDeviceStatusRequest", request));
        return nothing;
      },
    ],
    [
      ReportDeviceStates.path,
      (request) => {
        states(decodeDmi("ReportDeviceStatesRequest", request));
        return nothing;
      },
    ],
  ]);
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
