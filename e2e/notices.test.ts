import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort, needs, systemPython } from "@penstock/testkit";
import { type CloudProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
const hasMailServer = needs("python3-aiosmtpd");
const key = "one-key-for-both";
const mailFolder = join(bench.folder, "mail");
let cloud: CloudProcess;

interface Posted {
  readonly body: string;
  readonly signature: unknown;
  readonly delivery: unknown;
}
const posted: Posted[] = [];
const webhook = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    const { "penstock-signature": signature, "penstock-delivery": delivery } = request.headers;
    // The first is refused, as by somebody who is being restarted.
    if (posted.push({ body, signature, delivery }) === 1) response.statusCode = 503;
    response.end();
  });
}).listen(0, "127.0.0.1");

/** What has arrived: a maildir has a file for each. */
function mails(): string[] {
  const folder = join(mailFolder, "new");
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")) : [];
}
const kindsPosted = () =>
  posted.map(({ body }) => (JSON.parse(body) as { transition: { kind: string } }).transition.kind);
const mailed = (kind: string) => mails().find((mail) => mail.includes(`\nSubject: [critical] hot/hot ${kind}: `));

async function applied(...documents: readonly object[]) {
  const input = documents.map((one) => JSON.stringify({ apiVersion: "penstock.dev/v1", ...one })).join("\n---\n");
  const { code, stderr, stdout } = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(code, 0, stderr + stdout);
}
const set = (property: string, value: number) =>
  cloud.client.twins.setDesired({
    params: { tenant: "default", device: "oven", property },
    query: { wait: "10s" },
    body: { value },
  });

before(async () => {
  if (hasMailServer.skip !== undefined) return;
  const mailPort = await freePort();
  const handler = ["-n", "-l", `127.0.0.1:${mailPort}`, "-c", "aiosmtpd.handlers.Mailbox", mailFolder];
  const server = bench.process({ name: "mail", command: systemPython, args: ["-m", "aiosmtpd", ...handler] });
  void server.start().catch(() => {});
  await eventually("the mail server", async () => {
    const socket = connect(mailPort, "127.0.0.1");
    await once(socket, "data");
    return socket.destroy();
  });
  cloud = await bench.startCloud({
    args: ["--mail-from", "penstock@example.com"],
    env: { PENSTOCK_SMTP_URL: `smtp://127.0.0.1:${mailPort}` },
  });
  await bench.startEdge(cloud, "gw-01");
});
after(async () => {
  webhook.close();
  await bench.close();
});

test(
  "who is to hear of an alarm hears when it begins, when nobody sees to it, and when it is over",
  hasMailServer,
  async () => {
    const number = { type: "float64", access: "readWrite", collect: { every: "100ms" } };
    const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/plant`;
    const alarm = {
      ...{ name: "hot", device: "oven", severity: "warning", message: "The oven is at its limit" },
      when: { value: "temperature", above: 80 },
      notify: [{ webhook: { url, secret: key } }],
      escalate: [
        { after: "1s", severity: "critical", notify: [{ email: { to: ["shift@example.com", "chief@example.com"] } }] },
      ],
    };
    await applied(
      {
        ...{ kind: "Device", metadata: { name: "oven" } },
        spec: { node: "gw-01", connection: { protocol: "virtual" }, properties: { temperature: number } },
      },
      {
        ...{ kind: "Rule", metadata: { name: "hot" } },
        spec: { nodes: ["gw-01"], sql: "SELECT temperature FROM oven", actions: [{ alarm }] },
      },
    );
    await set("temperature", 90);
    await eventually("the webhook to take it", () => posted.length >= 2);
    assert.deepEqual(kindsPosted().slice(0, 2), ["raised", "raised"], "tried again after it was refused");
    assert.equal(posted[0]!.delivery, posted[1]!.delivery, "and the repeat can be told");
    for (const { body, signature } of posted)
      assert.equal(signature, `sha256=${createHmac("sha256", key).update(body).digest("hex")}`);

    const escalated = await eventually("an e-mail", () => mailed("escalated"));
    assert.match(escalated, /^From: penstock@example\.com$/m);
    assert.match(escalated, /^To: shift@example\.com, chief@example\.com$/m);
    assert.match(escalated, /The oven is at its limit/);

    await set("temperature", 20);
    await eventually("both to hear that it is over", () => kindsPosted().includes("cleared") && mailed("cleared"));
    assert.equal(mails().length, 2, "each once");
  },
);
