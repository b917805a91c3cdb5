import {
  type CallOptions,
  dial,
  fillNames,
  type MapperConnection,
  type OpenContext,
  Payload,
  type Point,
  type PointResult,
  payloadReader,
  payloadWriter,
  type Said,
  valueFiller,
} from "@penstock/mapper-sdk";
import { AppError, codeOf, type ErrorCode, isSafePattern, type Value } from "@penstock/model";
import { Client } from "./client.ts";
import type { Address, Connection, Visitor } from "./fields.ts";
import { reasonOf } from "./status.ts";

type HttpPoint = Point<Address, Visitor>;
const file = "mappers/http/src/connection.ts";

/** One request and all rows that lie in its answer. */
interface Plan {
  readonly method: string;
  readonly url: URL;
  readonly body: string | undefined;
  readonly rows: { readonly row: number; readonly read: (payload: Payload, contentType: string) => Said }[];
}
interface Planned {
  readonly requests: readonly Plan[];
  readonly wrong: readonly { readonly row: number; readonly reason: ErrorCode }[];
}

/** Devices below one URL. There is no connection between requests but for sockets that are kept for the next. */
export class HttpConnection implements MapperConnection<Address, Visitor> {
  readonly #context: OpenContext;
  readonly #client: Client;
  readonly #closing = new AbortController();
  readonly #plans = new WeakMap<readonly HttpPoint[], Planned>();
  readonly #running = new Set<Promise<unknown>>();
  #isLost = false;

  /** @throws AppError mapper/connect-failed when nobody listens there */
  static async open(settings: Connection, context: OpenContext): Promise<HttpConnection> {
    const client = await Client.open(settings, context);
    const { protocol, hostname, port } = new URL(settings.url);
    const { clock, signal, line } = context;
    const socket = await dial({
      ...{ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (protocol === "https:" ? 443 : 80) },
      ...{ timeoutMs: line.connectTimeoutMs, clock, signal },
    });
    socket.on("error", () => {}).destroy();
    return new HttpConnection(context, client);
  }

  private constructor(context: OpenContext, client: Client) {
    this.#context = context;
    this.#client = client;
  }

  /** Points with the same request are one request. */
  async read(points: readonly HttpPoint[], { signal, trace }: CallOptions): Promise<readonly PointResult[]> {
    const stop = this.#stopOf(signal);
    const results: PointResult[] = points.map(() => ({ value: null, reason: "mapper/timeout" }));
    const { requests, wrong } = this.#planOf(points);
    for (const { row, reason } of wrong) results[row] = { value: null, reason };
    const failures: unknown[] = [];
    const work = requests.map(async ({ method, url, body, rows }) => {
      let reason: ErrorCode | null;
      try {
        const bytes = body === undefined ? null : new TextEncoder().encode(body);
        const answer = await this.#client.read({ method, url, body: bytes, headers: {} }, stop);
        const monotonic = this.#context.clock.monotonic();
        reason = reasonOf(answer.status, false);
        if (reason === null) {
          const payload = new Payload(answer.body);
          for (const { row, read } of rows) {
            const { value, reason: why } = read(payload, answer.contentType);
            results[row] = { value, monotonic, ...(why !== undefined && { reason: why }) };
          }
        }
      } catch (error) {
        failures.push(error);
        reason = codeOf(error);
      }
      if (reason !== null) for (const { row } of rows) results[row] = { value: null, reason };
    });
    await this.#track(Promise.all(work));
    const unknown = failures.find((error) => !(error instanceof AppError));
    if (unknown !== undefined) throw unknown;
    if (failures.length === requests.length && failures.length > 0) throw this.#judged(failures as AppError[]);
    trace?.(file, "The answers were taken apart");
    return results;
  }

  async write(point: HttpPoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    const stop = this.#stopOf(signal);
    const { setResource, setMethod, format, template, contentType, path, scale, offset, on, off } = point.visitor;
    if (setResource === undefined) {
      throw new AppError("mapper/unsupported", `Cannot write "${point.property}": its visitor has no setResource`);
    }
    const settings = { format, path, scale, offset, on, off };
    const names = namesOf(point);
    const { text } = valueFiller(settings, point.type)(value);
    const hasBody = setMethod !== "GET" && setMethod !== "DELETE";
    const body = hasBody ? payloadWriter({ ...settings, template }, point.type)(value, names) : null;
    const url = this.#client.urlOf(fillNames(setResource, { ...encoded(names), text: encodeURIComponent(text) }));
    const types = { json: "application/json", text: "text/plain; charset=utf-8", bytes: "application/octet-stream" };
    const headers: Record<string, string> = hasBody ? { "content-type": contentType ?? types[format] } : {};
    const sent = this.#client.write({ method: setMethod, url, body, headers }, stop);
    const answer = await this.#track(sent).catch((error: unknown) => {
      throw error instanceof AppError ? this.#judged([error]) : error;
    });
    // RFC 9110, 15.4.4: "see other" says that it is done, and where to look
    const reason = answer.status === 303 ? null : reasonOf(answer.status, true);
    if (reason !== null) {
      throw new AppError(reason, `Cannot write "${point.property}": the device answered with status ${answer.status}`);
    }
    trace?.(file, "The device took the value");
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("aborted", "The connection was closed"));
    this.#client.close();
    await Promise.allSettled(this.#running);
  }

  /** @throws AppError when the connection is closed */
  #stopOf(signal: AbortSignal): AbortSignal {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** Nothing was answered at all. A device that hangs up is asked again on a new connection, after the line's pause. */
  #judged(failures: readonly AppError[]): AppError {
    const lost = failures.find(({ code }) => code === "mapper/connection-lost");
    if (lost === undefined) return failures[0]!;
    if (!this.#isLost && !this.#closing.signal.aborted) {
      this.#isLost = true;
      this.#context.lost(lost);
    }
    return lost;
  }

  #planOf(points: readonly HttpPoint[]): Planned {
    const known = this.#plans.get(points);
    if (known !== undefined) return known;
    const requests = new Map<string, Plan>();
    const wrong: Planned["wrong"][number][] = [];
    points.forEach((point, row) => {
      try {
        const { resource, method, body } = point.visitor;
        if (resource === undefined) throw new AppError("mapper/bad-address", "Its visitor has no resource");
        const url = this.#client.urlOf(fillNames(resource, encoded(namesOf(point))));
        const key = JSON.stringify([method, url.href, body]);
        const plan = requests.get(key) ?? { method, url, body, rows: [] };
        requests.set(key, plan);
        plan.rows.push({ row, read: answerReader(point) });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        wrong.push({ row, reason: error.code });
      }
    });
    const plan = { requests: [...requests.values()], wrong };
    this.#plans.set(points, plan);
    return plan;
  }
}

function answerReader({ type, visitor }: HttpPoint): (payload: Payload, contentType: string) => Said {
  const { format, path, scale, offset, on, off, pattern } = visitor;
  const read = payloadReader({ format, path, scale, offset, on, off }, type);
  if (pattern === undefined) {
    return (payload, contentType) =>
      // A page for people is how many servers say that something went wrong, whatever the status.
      format !== "json" && contentType.startsWith("text/html")
        ? { value: null, reason: "mapper/bad-answer" }
        : read(payload);
  }
  if (!isSafePattern(pattern)) {
    throw new AppError("mapper/bad-address", `Cannot search by ${pattern}: not sure to end soon, see isSafePattern`);
  }
  const expression = new RegExp(pattern, "u");
  return (payload) => {
    try {
      const found = expression.exec(payload.text)?.[1];
      if (found === undefined) return { value: null, reason: "mapper/bad-answer" };
      return read(new Payload(new TextEncoder().encode(found)));
    } catch (error) {
      if (error instanceof AppError) return { value: null, reason: error.code };
      throw error;
    }
  };
}

function namesOf({ device, deviceName, property, address: { name } }: HttpPoint): Record<string, string> {
  return { device: deviceName ?? device, property, ...(name !== undefined && { name }) };
}

/** A name may be several steps of a path; nothing in it begins a query. */
function encoded(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).map(([key, name]) => [key, name.split("/").map(encodeURIComponent).join("/")]),
  );
}
