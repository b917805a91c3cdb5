/** The library, when it is first needed. */
export const loadGrpc = async () => (await import("@grpc/grpc-js")).default;
