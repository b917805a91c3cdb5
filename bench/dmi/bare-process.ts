/** What the gateway is held against: a server of the usual gRPC library that only answers. */
import type { Server } from "@grpc/grpc-js";
import { answeringServer } from "../../e2e/dmi/answering-server.ts";
import { serveBench } from "../line/forked.ts";

let server: Server | null = null;
serveBench<string, null>(
  async (path) => {
    server = await answeringServer(path, ["v1beta1.DeviceManagerService"]);
    return null;
  },
  async () => server?.forceShutdown(),
);
