import type { ExceptionName } from "./codes.ts";
import type { ModbusRequest } from "./request.ts";

/** What a hook sees: `request` is null when the PDU itself is refused. */
export interface ServerRequest {
  readonly connection: number;
  readonly transaction: number;
  readonly unit: number;
  readonly request: ModbusRequest | null;
}

/**
 * What happens to one request instead of a prompt answer. `delayMs` holds this answer and every later one of its
 * connection, because a server answers in order. A spoilt read does not count as answered; a spoilt write has taken effect.
 */
export type Treatment =
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "drop" }
  | { readonly kind: "exception"; readonly exception: ExceptionName }
  | { readonly kind: "wrong-transaction" }
  /** the first half of the frame and then silence, or the end of the connection */
  | { readonly kind: "half"; readonly thenClose?: boolean }
  | { readonly kind: "garbage"; readonly bytes: Uint8Array }
  | { readonly kind: "close" };

/** Called once per request, in order; null or undefined answers it normally. */
export type RequestHook = (request: ServerRequest) => Treatment | null | undefined;
