/** What the gateway is held against: a server of the same gRPC library that only answers. */
import type { Server } from "@grpc/grpc-js";
import { serveBench } from "../line/forked.ts";
import { answeringServer } from "./answering-server.ts";

let server: Server | null = null;
serveBench<string, null>(
  async (path) => {
    server = await answeringServer(path, ["v1beta1.DeviceManagerService"]);
    return null;
  },
  async () => server?.forceShutdown(),
);
