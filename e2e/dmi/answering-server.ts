import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type DmiMethod, type DmiService, dmiServiceDefinition } from "@penstock/wire";

/** grpc-js, the gRPC library of Node, answering every method of the services with an empty message and looking at none. */
export async function answeringServer(path: string, services: readonly DmiService[]): Promise<Server> {
  const server = new Server({ "grpc.enable_channelz": 0 });
  const empty = Buffer.alloc(0);
  for (const service of services) {
    const methods = Object.entries<DmiMethod>(dmiServiceDefinition(service)).map(
      ([name, method]) =>
        [name, { ...method, requestDeserialize: (bytes: Buffer) => bytes, responseSerialize: () => empty }] as const,
    );
    const answers = methods.map(([name]) => [
      name,
      (_: unknown, answer: (error: null, value: object) => void) => answer(null, {}),
    ]);
    server.addService(Object.fromEntries(methods), Object.fromEntries(answers));
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return server;
}
