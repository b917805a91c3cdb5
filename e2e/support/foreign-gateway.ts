import { generateKeyPairSync } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import {
  type AnyMessage,
  decodeFrame,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  linkAlpn,
  linkPath,
} from "@penstock/wire";
import { WebSocket } from "ws";
import type { CloudProcess } from "./penstock.ts";

/** What a gateway that is not ours has of its joining. */
export interface ForeignNode {
  readonly node: string;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly trustPem: string;
  /** the join token's secret, used up */
  readonly secret: string;
}

/** Joins as the HTTP contract says, with none of our agent's code. */
export async function joinForeign(cloud: CloudProcess, node: string): Promise<ForeignNode> {
  const params = { tenant: "default", name: node };
  await cloud.client.nodes.put({ params, body: { metadata: { name: node }, spec: {} }, create: true });
  const { secret } = await cloud.client.joinTokens.create({ params: { tenant: "default" }, body: { node } });
  const keys = newKeys();
  const joined = await cloud.client.join.join({ body: { secret, publicKey: keys.publicPem } });
  return { node, keyPem: keys.privatePem, certificatePem: joined.certificate, trustPem: joined.trustBundle, secret };
}

export function newKeys(): { readonly publicPem: string; readonly privatePem: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** TLS to the one port as a gateway; without a node it has no certificate. */
export function dialLink(cloud: CloudProcess, as: Partial<ForeignNode> & Pick<ForeignNode, "trustPem">): TLSSocket {
  const { hostname: host, port } = new URL(cloud.address);
  const own = as.keyPem === undefined ? {} : { key: as.keyPem, cert: as.certificatePem };
  return connect({ host, port: Number(port), servername: host, ca: as.trustPem, ALPNProtocols: [linkAlpn], ...own });
}

/** A gateway that is not ours on the real port: it says what the test wants, frame by frame. */
export class ForeignGateway {
  readonly answers: AnyMessage[] = [];
  /** close code and reason of the WebSocket */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  #n = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const parts: Uint8Array[] = [];
    socket.on("message", (data) => {
      const frame = decodeFrame(data as Buffer);
      parts.push(frame.part);
      if (!frame.more) this.answers.push(decodeMessage(Buffer.concat(parts.splice(0))));
    });
    socket.on("error", () => {});
    this.ended = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  static async open(cloud: CloudProcess, node: ForeignNode): Promise<ForeignGateway> {
    const stream = dialLink(cloud, node);
    const socket = new WebSocket(`ws://${new URL(cloud.address).host}${linkPath}`, {
      createConnection: () => stream,
      perMessageDeflate: false,
    });
    const gateway = new ForeignGateway(socket);
    await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return gateway;
  }

  raw(bytes: Uint8Array | string): void {
    this.#socket.send(bytes);
  }

  say(message: { readonly t: string; readonly [key: string]: unknown }): void {
    this.raw(encodeFrame({ lane: 0, n: this.#n++, more: false, part: encodeMessage(message) }));
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** As the first version of the link has it. */
export const foreignHello = {
  t: "hello",
  versions: { min: 1, max: 1 },
  features: [],
  agent: "9.9.9",
  boot: "b".repeat(32),
  epoch: "e".repeat(32),
  lowest: 1,
  highest: 0,
  recovered: 0,
  time: 1,
  timeTrusted: true,
  assignedVersion: 0,
} as const;
