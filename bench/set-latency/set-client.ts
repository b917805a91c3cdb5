import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

/** A program that sets one property over HTTPS, on one connection that stays open, and waits for the proof. */
export class SetClient {
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #token: string;

  /** @param options.trustPath the bundle that the cloud's certificate must come from */
  constructor(options: {
    readonly address: string;
    readonly trustPath: string;
    readonly token: string;
    readonly device: string;
    readonly property: string;
  }) {
    const { address, token, device, property } = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(options.trustPath) });
    this.#token = token;
    const path = `/api/v1/tenants/default/devices/${device}/properties/${property}/desired?wait=10s`;
    this.#url = new URL(path, address);
  }

  /** @returns milliseconds from the request to the answer `confirmed` @throws Error with any other answer */
  async set(value: number): Promise<number> {
    const body = JSON.stringify({ value });
    const from = performance.now();
    const { status, text } = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      };
      const sent = request(this.#url, { method: "PUT", agent: this.#agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode, text }));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
    const took = performance.now() - from;
    if (status !== 200 || (JSON.parse(text) as { state?: string }).state !== "confirmed") {
      throw new Error(`Setting ${value} was answered ${status}: ${text}`);
    }
    return took;
  }

  close(): void {
    this.#agent.destroy();
  }
}
