import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, toProblem } from "@penstock/model";
import { createClient } from "./client.ts";

function fakeFetch(answer: (request: Request) => Response | Promise<Response>) {
  const requests: Request[] = [];
  const fetch = async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init);
    requests.push(request);
    return answer(request);
  };
  return { fetch: fetch as typeof globalThis.fetch, requests };
}

test("client fills path, query, token and precondition, and never puts a token into an address", async () => {
  const { fetch, requests } = fakeFetch(() => Response.json({ items: [], cursor: null }));
  const client = createClient({ baseUrl: "https://c.example/", token: "secret-token", fetch });
  await client.devices.list({ params: { tenant: "acme" }, query: { limit: 5, labels: "a=b" } });
  await client.live.stream({ params: { tenant: "acme" }, query: { device: ["x", "y"] } }).next();
  await client.nodes.patch({ params: { tenant: "acme", name: "gw" }, ifMatch: "7", body: {} });
  const [list, live, patch] = requests;
  assert.equal(list!.url, "https://c.example/api/v1/tenants/acme/devices?limit=5&labels=a%3Db");
  assert.equal(live!.url, "https://c.example/api/v1/tenants/acme/live?device=x&device=y");
  assert.equal(patch!.headers.get("if-match"), '"7"');
  assert.equal(patch!.headers.get("content-type"), "application/merge-patch+json");
  for (const request of requests) {
    assert.equal(request.headers.get("authorization"), "Bearer secret-token");
    assert.equal(request.url.includes("secret"), false);
  }
});

test("client throws the server's code, message and fields; no answer and a stranger's answer have their own words", async () => {
  const fields = [{ field: "ttl", value: "x", rule: "must be a duration" }];
  const problem = toProblem(new AppError("input/invalid", "Invalid ttl", { fields }));
  const rejects = async (answer: () => Response, code: string, about: RegExp) => {
    const client = createClient({ baseUrl: "http://c.example", fetch: fakeFetch(answer).fetch });
    await assert.rejects(client.system.health({}), (error: unknown) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, code);
      assert.match(error.message, about);
      return true;
    });
  };
  await rejects(() => Response.json(problem, { status: 400 }), "input/invalid", /Invalid ttl/);
  await rejects(() => new Response("<h1>Bad gateway</h1>", { status: 502 }), "internal", /502, not by Penstock/);
  const refused = () => {
    throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:1") });
  };
  await rejects(refused, "link/closed", /http:\/\/c\.example: connect ECONNREFUSED/);
});

test("toProblem() takes status from the code alone and keeps the words of unexpected errors to itself", () => {
  assert.equal(toProblem(new AppError("resource/not-found", "x")).status, 404);
  const internal = toProblem(new Error("password was hunter2"));
  assert.equal(internal.status, 500);
  assert.doesNotMatch(JSON.stringify(internal), /hunter2/);
  assert.doesNotMatch(JSON.stringify(toProblem(new AppError("internal", "hunter2"))), /hunter2/);
});
