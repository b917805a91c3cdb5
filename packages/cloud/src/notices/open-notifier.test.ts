import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { openNotifier } from "./open-notifier.ts";

const open: { close(done: () => void): unknown }[] = [];
after(() => Promise.all(open.map((server) => new Promise<void>((done) => server.close(done)))));
async function portOf(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** A mail server's side of RFC 5321, as far as a message without trouble needs it. @param refuse  to whom it says 550 */
function mailServer(received: { envelope: string[]; data: string }[], refuse: string) {
  return createServer((socket: Socket) => {
    let buffer = "";
    let data: string | null = null;
    let envelope: string[] = [];
    const say = (line: string) => socket.write(`${line}\r\n`);
    const hear = (line: string) => {
      if (data !== null) {
        if (line !== ".") {
          // 4.5.2: a line that begins with a dot has one put before it
          data += `${line.startsWith(".") ? line.slice(1) : line}\n`;
          return;
        }
        received.push({ envelope, data });
        data = null;
        say("250 2.0.0 taken");
        return;
      }
      const [verb] = line.split(/[ :]/);
      if (verb === "EHLO" || verb === "HELO") say("250 mail.example");
      else if (verb === "MAIL" || verb === "RCPT") {
        const isRefused = line.includes(refuse);
        if (!isRefused) envelope = [...envelope, line];
        say(isRefused ? "550 5.1.1 no such mailbox" : "250 2.1.0 ok");
      } else if (verb === "DATA") {
        data = "";
        say("354 end with a dot");
      } else if (verb === "QUIT") {
        say("221 bye");
        socket.end();
      } else say("500 5.5.1 unknown");
    };
    say("220 mail.example ESMTP");
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      buffer += bytes.toString();
      for (let at = buffer.indexOf("\r\n"); at >= 0; at = buffer.indexOf("\r\n")) {
        const line = buffer.slice(0, at);
        buffer = buffer.slice(at + 2);
        hear(line);
      }
    });
  });
}

test("e-mail goes to a mail server by SMTP; what it does not take is an error", async () => {
  const received: { envelope: string[]; data: string }[] = [];
  const port = await portOf(mailServer(received, "nobody@"));
  const mail = { url: `smtp://127.0.0.1:${port}`, from: "penstock@plant.example" };
  const notifier = openNotifier({ mail, userAgent: "penstock/test" });
  await notifier.mail({ to: ["ada@example.com", "bob@example.com"], subject: "[major] hot", text: "a\n.b\n" });
  assert.deepEqual(received[0]!.envelope, [
    "MAIL FROM:<penstock@plant.example>",
    "RCPT TO:<ada@example.com>",
    "RCPT TO:<bob@example.com>",
  ]);
  assert.match(received[0]!.data, /^Subject: \[major\] hot$/m);
  assert.match(received[0]!.data, /\n\na\n\.b\n/);
  await assert.rejects(notifier.mail({ to: ["nobody@example.com"], subject: "s", text: "t" }), /550/);
  const without = openNotifier({ mail: null, userAgent: "penstock/test" });
  await assert.rejects(without.mail({ to: ["a@b.c"], subject: "s", text: "t" }), /without a mail server/);
});

test("a webhook is one POST; anything but 2xx is an error that does not tell its path, and no redirect is followed", async () => {
  const asked: { url: string | undefined; body: string; agent: string | undefined }[] = [];
  const server = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      asked.push({ url: request.url, body, agent: request.headers["user-agent"] });
      if (request.url === "/away") response.writeHead(302, { location: "/inside" }).end();
      else response.writeHead(request.url === "/ok" ? 204 : 500).end();
    });
  });
  const port = await portOf(server);
  const notifier = openNotifier({ mail: null, userAgent: "penstock/test" });
  const post = (path: string) => notifier.post({ url: `http://127.0.0.1:${port}${path}`, headers: {}, body: "{}" });
  await post("/ok");
  assert.deepEqual(asked, [{ url: "/ok", body: "{}", agent: "penstock/test" }]);
  await assert.rejects(
    post("/secret-path"),
    (error: Error) => /500/.test(error.message) && !/secret/.test(error.message),
  );
  await assert.rejects(post("/away"), /302/);
  assert.equal(asked.length, 3);
});
