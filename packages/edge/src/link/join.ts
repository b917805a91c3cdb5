import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { request } from "node:http";
import type { TLSSocket } from "node:tls";
import { AppError, isErrorCode, type NodeUid, type TenantUid } from "@penstock/model";
import { type Clock, type Files, writeFile } from "@penstock/runtime";
import { parseJoinToken } from "@penstock/wire";
import { connectTls } from "./connect-tls.ts";
import { type Identity, saveIdentity } from "./identity.ts";
import { verifyPeer } from "./verify-peer.ts";

export interface JoinOptions {
  /** "https://cloud.example:8443"; the gateway's link goes to the same host and port */
  readonly cloudUrl: string;
  /** `<secret>.<caHash>` */
  readonly token: string;
  readonly files: Files;
  /** the gateway's data folder */
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const answerBytesBound = 262_144;
const answerTimeoutMs = 30_000;

/**
 * Makes this machine a node: a fresh key, its certificate for the token. The server must chain to the CA that the token
 * names before the secret leaves this machine. A key made by an attempt whose answer was lost is used again, as the cloud
 * demands for the same token.
 *
 * @throws AppError "join/ca-mismatch" (nothing was said), "join/token-invalid", "link/closed", "input/invalid"
 */
export async function join(options: JoinOptions): Promise<Identity> {
  const { files, folder, clock, signal } = options;
  const { secret, caHash } = parseJoinToken(options.token);
  const { host, port } = cloudAddress(options.cloudUrl);
  const socket = await connectTls({
    host,
    port,
    clock,
    signal,
    tls: { ALPNProtocols: ["http/1.1"], minVersion: "TLSv1.3" },
    verify: (chain) => verifyPinned({ chain, caHash, host, clock }),
  });
  try {
    const keyPem = await loadOrMakeKey(files, folder);
    const publicKey = createPublicKey(keyPem).export({ type: "spki", format: "pem" }).toString();
    const answer = await post({ socket, host, port, body: JSON.stringify({ secret, publicKey }), clock, signal });
    const { identity, credentials } = readAnswer(answer, { keyPem, host, port });
    await saveIdentity({ files, folder, identity, credentials });
    return identity;
  } finally {
    socket.destroy();
  }
}

/** Trusts the CA among what the server sent whose hash the token names, and nothing else. */
function verifyPinned(options: {
  chain: readonly X509Certificate[];
  caHash: string;
  host: string;
  clock: Clock;
}): void {
  const pinned = options.chain.filter(
    (certificate) => createHash("sha256").update(certificate.raw).digest("hex") === options.caHash,
  );
  if (pinned.length === 0) {
    throw new AppError(
      "join/ca-mismatch",
      `Cannot join "${options.host}": its CA is not the one that the token names; nothing was sent`,
    );
  }
  verifyPeer({ chain: options.chain, trust: pinned, host: options.host, now: options.clock.now() });
}

/** Host and port of "https://HOST:PORT". @throws AppError "input/invalid" */
export function cloudAddress(cloudUrl: string): { host: string; port: number } {
  const url = URL.canParse(cloudUrl) ? new URL(cloudUrl) : null;
  if (url === null || url.protocol !== "https:")
    throw new AppError("input/invalid", `Invalid cloud address: "${cloudUrl}": wanted https://<host>:<port>`);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 443 : Number(url.port) };
}

async function loadOrMakeKey(files: Files, folder: string): Promise<string> {
  if (await files.exists(`${folder}/node.key`)) {
    const pem = new TextDecoder().decode(await files.readAll(`${folder}/node.key`));
    return createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }).toString();
  }
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await files.makeFolder(folder);
  await writeFile({ files, folder, name: "node.key", bytes: pem, isSecret: true });
  return pem;
}

function post(options: {
  socket: TLSSocket;
  host: string;
  port: number;
  body: string;
  clock: Clock;
  signal: AbortSignal;
}): Promise<{ status: number; text: string }> {
  const { socket, host, port, body, clock, signal } = options;
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new AppError("link/closed", `Cannot join "${host}": ${why}`, { cause }));
    const sent = request({
      createConnection: () => socket,
      host,
      port,
      method: "POST",
      path: "/api/v1/join",
      signal,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), connection: "close" },
    });
    const cancel = clock.after(answerTimeoutMs, () => sent.destroy(new Error("no answer in time")));
    sent.on("error", (error) => {
      cancel();
      fail(error.message, error);
    });
    sent.on("response", (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > answerBytesBound) sent.destroy(new Error("its answer is too long"));
        else parts.push(part);
      });
      response.on("end", () => {
        cancel();
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") });
      });
    });
    sent.end(body);
  });
}

function readAnswer(
  answer: { status: number; text: string },
  own: { keyPem: string; host: string; port: number },
): {
  identity: Identity;
  credentials: { keyPem: string; certificatePem: string; trustBundlePem: string };
} {
  let json: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(answer.text);
    if (typeof parsed === "object" && parsed !== null) json = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: the checks below say what is missing.
  }
  if (answer.status !== 200 && answer.status !== 201) {
    const code = isErrorCode(json.code) ? json.code : "link/closed";
    const detail = typeof json.detail === "string" ? json.detail : `status ${answer.status}`;
    throw new AppError(code, `Cannot join "${own.host}": ${detail}`);
  }
  const { certificate, trustBundle } = json;
  const tenant = named(json.tenant);
  const node = named(json.node);
  if (tenant === null || node === null || typeof certificate !== "string" || typeof trustBundle !== "string")
    throw new AppError("link/closed", `Cannot join "${own.host}": its answer is not that of a Penstock cloud`);
  const isOurs = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(own.keyPem));
  if (!isOurs) throw new AppError("link/closed", `Cannot join "${own.host}": its certificate is not for our key`);
  return {
    identity: {
      tenant: { uid: tenant.uid as TenantUid, name: tenant.name },
      node: { uid: node.uid as NodeUid, name: node.name },
      cloud: { host: own.host, port: own.port },
    },
    credentials: { keyPem: own.keyPem, certificatePem: certificate, trustBundlePem: trustBundle },
  };
}

function named(value: unknown): { uid: string; name: string } | null {
  if (typeof value !== "object" || value === null) return null;
  const { uid, name } = value as { uid?: unknown; name?: unknown };
  return typeof uid === "string" && typeof name === "string" ? { uid, name } : null;
}
