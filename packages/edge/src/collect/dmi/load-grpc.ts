type Grpc = typeof import("@grpc/grpc-js");

/** The library, when it is first needed. A bundle has the whole of a CommonJS module as its default export and no other. */
export async function loadGrpc(): Promise<Grpc> {
  const loaded: Grpc | { readonly default: Grpc } = await import("@grpc/grpc-js");
  return "credentials" in loaded ? loaded : loaded.default;
}
