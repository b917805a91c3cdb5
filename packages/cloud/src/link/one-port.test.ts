import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { get, request } from "node:https";
import { connect as connectNet } from "node:net";
import { tmpdir } from "node:os";
import test, { after } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { dialTls, join, openIdentity } from "@penstock/edge";
import { AppError, codeOf, type Micros, type NodeUid, type TenantUid } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import { formatJoinToken, linkAlpn, type Transport } from "@penstock/wire";
import { type Authority, openAuthority } from "../authority/authority.ts";
import { type OnePort, openOnePort } from "./one-port.ts";
import type { Peer } from "./run-session.ts";

const files = realFiles();
const clock = systemClock();
const signal = new AbortController().signal;
const folder = await mkdtemp(`${tmpdir()}/penstock-one-port-`);
const tenant = "t".repeat(32) as TenantUid;
const node = "n".repeat(32) as NodeUid;
const authority = await openAuthority({ files, folder: `${folder}/ca`, clock, random: systemRandom });
const stranger = await openAuthority({ files, folder: `${folder}/other-ca`, clock, random: systemRandom });

const accepted: { transport: Transport; peer: Peer }[] = [];
const bodies: string[] = [];
async function open(more: { port?: number; headersTimeoutMs?: number } = {}): Promise<OnePort> {
  return openOnePort({
    port: more.port ?? 0,
    ...(await authority.serverCertificate(["localhost", "127.0.0.1", "::1"])),
    trustBundlePem: authority.trustBundlePem,
    async request(incoming, response) {
      let body = "";
      for await (const part of incoming) body += part;
      bodies.push(body);
      if (incoming.url !== "/api/v1/join") {
        response.end("page");
        return;
      }
      const { publicKey } = JSON.parse(body) as { publicKey: string };
      const der = Buffer.from(publicKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
      const issued = await authority.issueNode({ tenant, node, publicKeyDer: der });
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          tenant: { uid: tenant, name: "acme" },
          node: { uid: node, name: "gw-01" },
          certificate: issued.certificatePem,
          trustBundle: issued.trustBundlePem,
          expiresAt: issued.expiresAt,
        }),
      );
    },
    accept: (transport, peer) => accepted.push({ transport, peer }),
    clock,
    log: silentLog,
    metrics: metricsRegistry(),
    ...(more.headersTimeoutMs === undefined ? {} : { headersTimeoutMs: more.headersTimeoutMs }),
  });
}
const port = await open();
after(async () => {
  await port.close();
  await rm(folder, { recursive: true });
});

async function credentials(of: Authority) {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKeyDer = keys.publicKey.export({ type: "spki", format: "der" });
  const { certificatePem } = await of.issueNode({ tenant, node, publicKeyDer });
  const keyPem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { keyPem, certificatePem, trustBundlePem: authority.trustBundlePem };
}

const rejectsWith = (code: string) => (error: unknown) => {
  assert.equal(codeOf(error), code, String(error));
  return true;
};

for (const host of ["127.0.0.1", "::1"]) {
  test(`the one port takes a node with its certificate at ${host}, and frames go both ways`, async () => {
    const own = await credentials(authority);
    const transport = await dialTls({ host, port: port.port, clock, credentials: () => own })(signal);
    const { transport: far, peer } = accepted.pop()!;
    assert.equal(peer.tenant, tenant);
    assert.equal(peer.node, node);
    assert.equal(
      peer.fingerprint,
      new X509Certificate(own.certificatePem).fingerprint256.replaceAll(":", "").toLowerCase(),
    );
    const came = Promise.withResolvers<Uint8Array>();
    const back = Promise.withResolvers<Uint8Array>();
    const ended = Promise.withResolvers<string>();
    far.onFrame((frame) => {
      came.resolve(frame);
      far.send(new Uint8Array([9]));
    });
    transport.onFrame(back.resolve);
    far.onClose(ended.resolve);
    transport.send(new Uint8Array([1, 2, 3]));
    assert.deepEqual([...(await came.promise)], [1, 2, 3]);
    assert.deepEqual([...(await back.promise)], [9]);
    transport.close("enough");
    assert.equal(await ended.promise, "enough");
  });
}

test("the one port refuses a gateway without a certificate, and one of another CA", async () => {
  const none = connectTls({
    host: "127.0.0.1",
    port: port.port,
    ca: authority.trustBundlePem,
    ALPNProtocols: ["penstock/1"],
  });
  const error = await new Promise<Error>((resolve) => none.on("error", resolve));
  assert.match(error.message, /certificate required/);
  const foreign = await credentials(stranger);
  // Node's TLS server ends such a connection without an alert, so the gateway cannot know why.
  await assert.rejects(
    dialTls({ host: "127.0.0.1", port: port.port, clock, credentials: () => foreign })(signal),
    rejectsWith("link/closed"),
  );
  assert.equal(accepted.length, 0);
});

test("the one port demands TLS 1.3 of gateways", async () => {
  const own = await credentials(authority);
  const socket = connectTls({
    host: "127.0.0.1",
    port: port.port,
    ca: own.trustBundlePem,
    key: own.keyPem,
    cert: own.certificatePem,
    ALPNProtocols: ["penstock/1"],
    maxVersion: "TLSv1.2",
  });
  const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
  assert.match(error.message, /protocol version|unsupported/i);
});

test("a gateway refuses a cloud whose CA it does not know, before it says a byte", async () => {
  const own = { ...(await credentials(authority)), trustBundlePem: stranger.trustBundlePem };
  await assert.rejects(
    dialTls({ host: "127.0.0.1", port: port.port, clock, credentials: () => own })(signal),
    rejectsWith("link/certificate-refused"),
  );
});

test("a gateway refuses a cloud under a name that its certificate does not have", async () => {
  const own = await credentials(authority);
  await assert.rejects(
    dialTls({ host: "127.0.0.2", port: port.port, clock, credentials: () => own })(signal),
    rejectsWith("link/certificate-refused"),
  );
});

test("everything else on the one port is the web server, which asks for no certificate", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  get({ host: "localhost", port: port.port, ca: authority.trustBundlePem, path: "/" }, async (response) => {
    const protocol = (response.socket as TLSSocket).getProtocol();
    let text = "";
    for await (const part of response) text += part;
    resolve(`${response.statusCode} ${text} ${protocol}`);
  });
  assert.equal(await promise, "200 page TLSv1.3");
});

test("the web server takes a body larger than one packet", async () => {
  const body = "x".repeat(300_000);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const sent = request(
    { host: "localhost", port: port.port, ca: authority.trustBundlePem, path: "/", method: "POST" },
    (response) => {
      response.resume();
      resolve(response.statusCode);
    },
  );
  sent.end(body);
  assert.equal(await promise, 200);
  assert.equal(bodies.at(-1), body);
});

test("a client that never finishes its request is sent away, page or gateway", async () => {
  const impatient = await open({ headersTimeoutMs: 60 });
  const held = async (more: object) => {
    const socket = connectTls({ host: "localhost", port: impatient.port, ca: authority.trustBundlePem, ...more });
    socket.setTimeout(5000, () => socket.destroy());
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ");
    let text = "";
    for await (const part of socket) text += String(part);
    return text;
  };
  assert.match(await held({}), /^HTTP\/1.1 408 /);
  const { keyPem, certificatePem } = await credentials(authority);
  assert.match(await held({ key: keyPem, cert: certificatePem, ALPNProtocols: [linkAlpn] }), /^HTTP\/1.1 408 /);
  await impatient.close();
});

test("plain HTTP on the one port is answered with a sentence", async () => {
  const socket = connectNet({ host: "127.0.0.1", port: port.port });
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  let text = "";
  for await (const part of socket) text += String(part);
  assert.match(text, /^HTTP\/1.1 400 .*https:\/\//s);
});

test("openOnePort() says so when another program has the port", async () => {
  await assert.rejects(open({ port: port.port }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, "port/in-use");
    assert.match(error.message, new RegExp(`port ${port.port}: another program uses it`));
    return true;
  });
});

test("join() leaves an identity that the link can use, its key for the owner alone", async () => {
  const home = `${folder}/gw`;
  const token = formatJoinToken({ secret: "s".repeat(43), caHash: authority.caHash });
  const identity = await join({
    cloudUrl: `https://localhost:${port.port}`,
    token,
    files,
    folder: home,
    clock,
    signal,
  });
  assert.deepEqual(identity.node, { uid: node, name: "gw-01" });
  assert.equal((await stat(`${home}/node.key`)).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(await readFile(`${home}/identity.json`, "utf8")), identity);
  const opened = await openIdentity({ files, folder: home });
  assert.ok(opened !== null);
  const { host, port: cloudPort } = opened.identity.cloud;
  const transport = await dialTls({ host, port: cloudPort, clock, credentials: opened.credentials })(signal);
  assert.equal(accepted.pop()?.peer.node, node);
  transport.close();
  const life = opened.life();
  assert.equal(Math.round((life.notAfter - life.notBefore) / 86_400e6), 30);
  const renewed = await authority.issueNode({ tenant, node, publicKeyDer: life.publicKeyDer });
  await opened.renew(renewed);
  assert.equal((await openIdentity({ files, folder: home }))?.credentials().certificatePem, renewed.certificatePem);
  const other = await credentials(authority);
  await assert.rejects(
    opened.renew({ ...renewed, certificatePem: other.certificatePem }),
    rejectsWith("link/certificate-refused"),
  );
});

test("join() says nothing to a server whose CA is not the one that the token names", async () => {
  const before = bodies.length;
  const token = formatJoinToken({ secret: "s".repeat(43), caHash: stranger.caHash });
  const cloudUrl = `https://localhost:${port.port}`;
  await assert.rejects(
    join({ cloudUrl, token, files, folder: `${folder}/gw-2`, clock, signal }),
    rejectsWith("join/ca-mismatch"),
  );
  assert.equal(bodies.length, before, "no request was made");
  await assert.rejects(
    join({ cloudUrl, token: "nonsense", files, folder: `${folder}/gw-2`, clock, signal }),
    rejectsWith("join/token-invalid"),
  );
});

test("openAuthority() keeps its CAs and its server certificate over a restart; a new name makes a new one", async () => {
  const again = await openAuthority({ files, folder: `${folder}/ca`, clock, random: systemRandom });
  assert.equal(again.caHash, authority.caHash);
  assert.equal(again.trustBundlePem.match(/BEGIN CERTIFICATE/g)?.length, 2);
  const names = ["localhost", "127.0.0.1", "::1"];
  const first = await authority.serverCertificate(names);
  assert.deepEqual(await again.serverCertificate([...names].reverse()), first);
  assert.notDeepEqual(await again.serverCertificate([...names, "cloud.example"]), first);
  for (const key of ["ca-1.key", "ca-2.key", "server.key"])
    assert.equal((await stat(`${folder}/ca/${key}`)).mode & 0o777, 0o600);
});

/** The one port of a cloud whose server certificate was made `days` from now. */
async function cloudMade(days: number) {
  const when = { ...clock, now: () => (clock.now() + days * 86_400e6) as Micros };
  const ca = await openAuthority({ files, folder: `${folder}/ca-${days}`, clock: when, random: systemRandom });
  const other = await openOnePort({
    port: 0,
    ...(await ca.serverCertificate(["127.0.0.1"])),
    trustBundlePem: authority.trustBundlePem,
    request: (_incoming, response) => response.end(),
    accept: (transport, peer) => accepted.push({ transport, peer }),
    clock,
    log: silentLog,
    metrics: metricsRegistry(),
  });
  const own = { ...(await credentials(authority)), trustBundlePem: ca.trustBundlePem };
  return { other, own };
}

test("a gateway whose clock is behind connects: where TLS finds the certificate not yet valid, its own check decides", async () => {
  const { other, own } = await cloudMade(10);
  const strict = connectTls({ host: "127.0.0.1", port: other.port, ca: own.trustBundlePem });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => strict.on("error", resolve));
  assert.equal(error.code, "CERT_NOT_YET_VALID");
  const transport = await dialTls({ host: "127.0.0.1", port: other.port, clock, credentials: () => own })(signal);
  assert.equal(accepted.pop()?.peer.node, node);
  transport.close();
  // The same clock forgives nothing else: neither another CA nor another name.
  const wrongCa = { ...own, trustBundlePem: stranger.trustBundlePem };
  const dial = (host: string, held: typeof own) =>
    dialTls({ host, port: other.port, clock, credentials: () => held })(signal);
  await assert.rejects(dial("127.0.0.1", wrongCa), rejectsWith("link/certificate-refused"));
  await assert.rejects(dial("127.0.0.2", own), rejectsWith("link/certificate-refused"));
  await other.close();
});

test("a gateway refuses a cloud whose certificate has ended, by its floored clock too", async () => {
  const { other, own } = await cloudMade(-400);
  await assert.rejects(
    dialTls({ host: "127.0.0.1", port: other.port, clock, credentials: () => own })(signal),
    rejectsWith("link/certificate-refused"),
  );
  await other.close();
  const ahead = { ...clock, now: () => (clock.now() + 400 * 86_400e6) as Micros };
  const own2 = await credentials(authority);
  await assert.rejects(
    dialTls({ host: "127.0.0.1", port: port.port, clock: ahead, credentials: () => own2 })(signal),
    rejectsWith("link/certificate-refused"),
  );
});

test("a node certificate does not pass for the cloud's", async () => {
  const impostor = await credentials(authority);
  const other = await openOnePort({
    port: 0,
    keyPem: impostor.keyPem,
    chainPem: impostor.certificatePem,
    trustBundlePem: authority.trustBundlePem,
    request: (_incoming, response) => response.end(),
    accept: (transport, peer) => accepted.push({ transport, peer }),
    clock,
    log: silentLog,
    metrics: metricsRegistry(),
  });
  const own = await credentials(authority);
  await assert.rejects(
    dialTls({ host: "127.0.0.1", port: other.port, clock, credentials: () => own })(signal),
    rejectsWith("link/certificate-refused"),
  );
  await other.close();
});
