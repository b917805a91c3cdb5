import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needs } from "@penstock/testkit";
import { codeOf, openFor, pointOf } from "../test/open-for.ts";

const point = pointOf("level", "float64", { resource: "/", path: "$.level" });
const { signal } = new AbortController();

/** A CA and a certificate of 127.0.0.1: ca.pem, server.pem, server.key. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Plant CA", "-days", "3650");
  openssl("req", ...curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=oven");
  writeFileSync(join(folder, "san.cnf"), "subjectAltName=IP:127.0.0.1\n");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650", "-extfile", "san.cnf"];
  openssl("x509", "-req", "-in", "server.csr", ...signed, "-out", "server.pem");
}

test("TLS with the plant's own CA, and a certificate of ours where it is wanted", needs("openssl"), async () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-https-"));
  makeCertificates(folder);
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  const server = createServer(
    {
      key: file("server.key"),
      cert: file("server.pem"),
      ca: file("ca.pem"),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const isKnown = (request.socket as import("node:tls").TLSSocket).authorized;
      response.writeHead(isKnown ? 200 : 403).end('{"level": 21.5}');
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  const ours = { certificate: "server.pem", privateKey: "server.key" };
  try {
    for (const [settings, shown] of [
      [{ ca: "ca.pem", ...ours }, 21.5],
      [{ ca: file("ca.pem"), ...ours }, 21.5],
      [{ ca: "ca.pem" }, "mapper/access-denied"],
      [{}, "mapper/connect-failed"],
    ] as const) {
      const { connection } = await openFor(url, settings, { folder });
      const read = connection.read([point], { signal });
      const got = await read.then(
        ([result]) => result!.value ?? result!.reason,
        (error: { code: string }) => error.code,
      );
      assert.equal(got, shown);
      await connection.close();
    }
    assert.equal(await codeOf(openFor(url, { ca: "none.pem" }, { folder })), "mapper/connect-failed");
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
