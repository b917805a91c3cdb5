import { AppError } from "@penstock/model";

/**
 * What an operator copies from the console to the gateway: `<secret>.<caHash>`. The secret is single-use and known to
 * the cloud only as a hash; caHash is the SHA-256 of the CA certificate (DER) in lower-case hex,
 * so that the gateway knows whom it talks to before it says the secret.
 */
export interface JoinToken {
  readonly secret: string;
  readonly caHash: string;
}

const pattern = /^([A-Za-z0-9_-]{16,128})\.([0-9a-f]{64})$/;

export function formatJoinToken(token: JoinToken): string {
  return `${token.secret}.${token.caHash}`;
}

/** @throws AppError "join/token-invalid"; the message never repeats the token */
export function parseJoinToken(text: string): JoinToken {
  const match = pattern.exec(text.trim());
  if (match === null)
    throw new AppError(
      "join/token-invalid",
      "Cannot read the join token: it has the form <secret>.<64 hex digits>, copy it whole",
    );
  return { secret: match[1]!, caHash: match[2]! };
}
