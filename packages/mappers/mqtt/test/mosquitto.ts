import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@penstock/testkit";

const program = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";

/** Debian's broker on free ports, and foreign clients of it. */
export class Mosquitto {
  readonly folder = mkdtempSync(join(tmpdir(), "penstock-mosquitto-"));
  readonly port: number;
  readonly #children = new Set<ChildProcess>();
  #broker: ChildProcess | null = null;

  private constructor(port: number) {
    this.port = port;
  }

  /** @param settings of mosquitto.conf, after the listener; `FOLDER` stands for the broker's own */
  static async start(settings: string = "allow_anonymous true"): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort());
    // Started by root it would become another user, who reads nothing of ours.
    const conf = `user ${userInfo().username}\nlistener ${broker.port} 127.0.0.1\n${settings.replaceAll("FOLDER", broker.folder)}\n`;
    writeFileSync(join(broker.folder, "mosquitto.conf"), conf);
    await broker.restart();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    const child = this.#spawn(program, ["-c", join(this.folder, "mosquitto.conf"), "-v"]);
    this.#broker = child;
    await said(child, / running/);
  }

  async kill(): Promise<void> {
    this.#broker?.kill("SIGKILL");
    if (this.#broker !== null) await once(this.#broker, "exit");
    this.#broker = null;
  }

  /** Resolves when the broker has it. */
  publish(topic: string, payload: string, args: readonly string[] = []): Promise<void> {
    return this.#publish(topic, ["-m", payload, ...args]);
  }

  publishFile(topic: string, path: string): Promise<void> {
    return this.#publish(topic, ["-f", path]);
  }

  async #publish(topic: string, args: readonly string[]): Promise<void> {
    const child = this.#spawn("mosquitto_pub", [...this.#common(topic), "-q", "1", ...args]);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}`);
  }

  /** A device that stays connected, with what the broker shall tell when it goes. Resolves when it is subscribed. */
  async device(options: { readonly topic: string; readonly will?: readonly string[] }): Promise<ForeignClient> {
    // Without a terminal it would print when its buffer is full.
    const child = this.#spawn("stdbuf", [
      "-oL",
      "mosquitto_sub",
      ...this.#common(options.topic),
      "-q",
      "1",
      "-d",
      ...(options.will ?? []),
    ]);
    const client = new ForeignClient(child);
    await client.heard(/SUBACK/);
    return client;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map((child) => once(child, "exit")));
    rmSync(this.folder, { recursive: true });
  }

  #common(topic: string): string[] {
    return ["-V", "5", "-h", "127.0.0.1", "-p", String(this.port), "-t", topic];
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }
}

/** What a foreign subscriber prints. */
export class ForeignClient {
  readonly #child: ChildProcess;
  #printed = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.on("data", (chunk: Buffer) => {
      this.#printed += chunk.toString();
    });
  }

  async heard(what: RegExp): Promise<void> {
    while (!what.test(this.#printed)) await once(this.#child.stdout!, "data");
  }

  /** with no word to the broker, as a cut of power does */
  async die(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

async function said(child: ChildProcess, what: RegExp): Promise<void> {
  let printed = "";
  const ended = once(child, "exit").then(() => {
    throw new Error(`mosquitto ended: ${printed}`);
  });
  ended.catch(() => {});
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      if (printed.length < 10_000) printed += chunk.toString();
    });
  }
  while (!what.test(printed)) await Promise.race([once(child.stderr!, "data"), once(child.stdout!, "data"), ended]);
}

/** A CA and a certificate of 127.0.0.1, in the folder: ca.pem, server.pem, server.key. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Plant CA", "-days", "3650");
  openssl("req", ...curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker");
  writeFileSync(join(folder, "san.cnf"), "subjectAltName=IP:127.0.0.1\n");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650", "-extfile", "san.cnf"];
  openssl("x509", "-req", "-in", "server.csr", ...signed, "-out", "server.pem");
}
