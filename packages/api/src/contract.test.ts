import assert from "node:assert/strict";
import { test } from "node:test";
import { errors, isErrorCode } from "@penstock/model";
import { checkShape } from "./check.ts";
import { allRoutes, contract } from "./contract.ts";
import { openApi } from "./openapi.ts";

test("every route names only errors of the table, its path's parameters and fitting examples", () => {
  for (const { resource, name, route } of allRoutes()) {
    const where = `${resource}.${name}`;
    for (const code of route.errors) assert.ok(isErrorCode(code), `${where}: ${code}`);
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter!).sort();
    assert.deepEqual(Object.keys(route.params.properties).sort(), inPath, where);
    assert.equal(route.success === 204, route.format === "none", where);
    for (const example of route.examples) {
      if (route.method !== "PATCH") assert.deepEqual(checkShape(route.body, example.body), [], where);
    }
  }
});

test("every change is safe to send twice, or says why not", () => {
  // Logging in and out, and joining, have their own rules: a second login is another one, a join is bound to its key.
  const own = new Set(["session.login", "session.logout", "join.join", "joinTokens.remove"]);
  // A preview stores nothing; a second extraction finds that the device has a model, a second "pause" that it is paused.
  for (const name of ["preview", "extractModel", "actRollout"]) own.add(`modelling.${name}`);
  own.add("changes.preview").add("ruleTrials.run");
  // The same documents once more change nothing.
  own.add("changes.apply");
  // A second copy finds its names taken, a second undo that it is undone.
  own.add("copies.create").add("changes.undo");
  // What is there already as a file says it is left as it is.
  own.add("tables.importDevices").add("kubeedge.importDocuments");
  for (const { resource, name, route } of allRoutes()) {
    if (route.method === "GET" || own.has(`${resource}.${name}`)) continue;
    assert.notEqual(route.safety, "none", `${resource}.${name}`);
  }
});

test("no two routes share method and path, and a tenant's resources stand below their tenant", () => {
  const seen = new Set<string>();
  for (const { route } of allRoutes()) {
    const key = `${route.method} ${route.path.replaceAll(/\{\w+\}/g, "{}")}`;
    assert.equal(seen.has(key), false, key);
    seen.add(key);
  }
  for (const kind of ["nodes", "connections", "deviceModels", "devices", "rules"] as const) {
    for (const route of Object.values(contract[kind].routes))
      assert.match(route.path, /^\/api\/v1\/tenants\/\{tenant\}\//);
  }
});

test("openApi() describes every route with its errors, and refers only to what it defines", () => {
  const document = openApi({ version: "1.2.3" }) as {
    openapi: string;
    info: { version: string };
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
    components: { schemas: Record<string, unknown> };
  };
  assert.equal(document.openapi, "3.1.0");
  assert.equal(document.info.version, "1.2.3");
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  assert.equal(operations.length, allRoutes().length);
  assert.equal(new Set(operations.map((one) => one.operationId)).size, operations.length);
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(document.components.schemas[name!] !== undefined, name);
  }
  const remove = document.paths["/api/v1/tenants/{tenant}/devices/{name}"]!.delete!;
  const wanted = ["resource/in-use", "request/precondition-required"] as const;
  for (const code of wanted) assert.match(JSON.stringify(remove.responses[errors[code].http]), new RegExp(code));
});
