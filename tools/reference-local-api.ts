import { localRoutes } from "@penstock/edge";
import { limits } from "@penstock/model";
import { generatedPage, markdownTable } from "./markdown.ts";

export function localApiReference(): string {
  const fields = (given: Readonly<Record<string, string>>, more: string) =>
    Object.entries(given).map(([name, means]) => `\`${name}\`${more}: ${means}`);
  return generatedPage("Local API of a gateway", "`packages/edge/src/local-api/routes.ts`", [
    "On loopback only, at the address in `local-api/address` of the gateway's data folder. Every request needs",
    "`Authorization: Bearer TOKEN` with the token in `local-api/token`, which the gateway's own user alone can read. `Host` must",
    "be 127.0.0.1 or localhost with the port; a request with `Origin`, as browsers send it, is refused. Answers are JSON (types",
    "`Local…` in `packages/model/src/local-api.ts`), errors RFC 9457 problem documents whose `code` is one of `errors.md`.",
    `At most ${limits.localConnections} connections, ${limits.localRequestsPerSecond} requests a second and ${limits.localRequestBytes / 1024} KiB a body.`,
    "",
    "`penstock edge status`, `twin`, `set`, `release` and `call` use it.",
    "",
    ...markdownTable(
      ["request", "what", "takes"],
      localRoutes.map(({ method, path, summary, query, body }) => [
        `\`${method} ${path}\``,
        summary,
        [...fields(query, " (query)"), ...fields(body, "")].join("<br>"),
      ]),
    ),
  ]);
}
