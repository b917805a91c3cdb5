import { randomUUID } from "node:crypto";
import { AppError } from "@penstock/model";
import { type ContextFlags, connect } from "./context.ts";
import { type Format, print } from "./output.ts";

export async function makeJoinToken(options: {
  readonly node: string;
  readonly ttl: string;
  readonly format: Format;
  readonly flags: ContextFlags;
}): Promise<void> {
  const { client, context } = connect(options.flags);
  const { node } = options;
  const params = { tenant: context.tenant, name: node };
  await client.nodes
    .put({ params, body: { metadata: { name: node }, spec: {} }, create: true })
    .catch((error: unknown) => {
      if (
        !(
          error instanceof AppError &&
          (error.code === "resource/name-taken" || error.code === "request/precondition-failed")
        )
      )
        throw error;
    });
  const token = await client.joinTokens.create({
    params: { tenant: context.tenant },
    body: { node, ttl: options.ttl },
    idempotencyKey: randomUUID(),
  });
  print(options.format, token, () => token.token);
}
