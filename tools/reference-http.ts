import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { allRoutes, contract, openApi, type RouteSpec } from "@penstock/api";
import { generatedPage, markdownTable } from "./markdown.ts";
import { root } from "./repository.ts";

const safeties: Readonly<Record<RouteSpec["safety"], string>> = {
  precondition: "`If-None-Match: *` or `If-Match`",
  match: "`If-Match`",
  key: "`Idempotency-Key`",
  none: "",
};

export function openApiDocument(): string {
  const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };
  return `${JSON.stringify(openApi({ version }), null, 2)}\n`;
}

export function httpReference(): string {
  const routes = allRoutes();
  return generatedPage("HTTP", "the contract in `packages/api/src`", [
    "Bodies, parameters and answers are in `openapi.json`, which a running cloud also serves at `/openapi.json`. Errors are",
    "RFC 9457 problem documents whose `code` is one of `errors.md`. Every route may also answer the codes of a bad request,",
    "a missing login, a forbidden one, too many requests, and `internal`.",
    ...Object.entries(contract).flatMap(([key, { name, summary }]) => [
      "",
      `## ${name}: ${summary}`,
      "",
      ...markdownTable(
        ["request", "what", "permission", "safe to repeat with", "errors"],
        routes
          .filter(({ resource }) => resource === key)
          .map(({ route }) => [
            `\`${route.method} ${route.path}\``,
            route.summary,
            route.permission ?? "anybody",
            safeties[route.safety],
            route.errors.map((code) => `\`${code}\``).join(" "),
          ]),
      ),
      ...examples(routes.filter(({ resource }) => resource === key).map(({ route }) => route)),
    ]),
  ]);
}

function examples(routes: readonly RouteSpec[]): string[] {
  return routes.flatMap((route) =>
    route.examples.flatMap(({ summary, body, response }) => [
      "",
      `${summary}:`,
      "",
      "```http",
      `${route.method} ${route.path}`,
      ...(body === undefined ? [] : ["", JSON.stringify(body, null, 2)]),
      ...(response === undefined ? [] : ["", `HTTP ${route.success}`, "", JSON.stringify(response, null, 2)]),
      "```",
    ]),
  );
}
