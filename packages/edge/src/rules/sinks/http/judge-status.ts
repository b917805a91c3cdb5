import { refused, unreachable } from "../delivery/peer-error.ts";
import type { Answer } from "./exchange.ts";

/** of a peer's words in our messages */
const shownChars = 200;

/**
 * What a status means for what was sent: 2xx took it; 408, 425, 429 and 5xx ask to come again; everything else, redirects
 * with it, will say the same next time.
 *
 * @throws AppError rules/sink-refused, rules/sink-unreachable
 * @source RFC 9110, 15; 425: RFC 8470, 5.2; 429: RFC 6585, 4
 */
export function judgeStatus(what: string, { status, body }: Answer): void {
  if (status >= 200 && status < 300) return;
  const words = new TextDecoder().decode(body).replaceAll(/\s+/g, " ").trim().slice(0, shownChars);
  const reason = words === "" ? `status ${status}` : `status ${status}: ${words}`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) throw unreachable(what, reason);
  throw refused(what, reason);
}
