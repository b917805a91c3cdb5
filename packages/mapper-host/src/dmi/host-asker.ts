import { AppError, type ErrorCode, isErrorCode } from "@penstock/model";
import type { AgentToMapper, MapperToAgent } from "@penstock/wire";
import { MapperHost, type MapperHostOptions } from "../host.ts";

type Answer = Extract<MapperToAgent, { readonly id: number }>;
type Answered = Exclude<Answer, { readonly t: "failed" }>;

/** A mapper of ours in this process, asked as an agent asks it. Every question gets its answer, at its deadline at the latest. */
export class HostAsker {
  readonly #host: MapperHost;
  readonly #waiting = new Map<number, { resolve(answer: Answered): void; reject(error: AppError): void }>();
  #lastId = 0;

  constructor(
    options: Omit<MapperHostOptions, "send"> & { readonly onLog: (message: string, fields: object) => void },
  ) {
    this.#host = new MapperHost({
      ...options,
      send: (message) => {
        if ("id" in message) this.#settle(message);
        else if (message.t === "log" && message.level !== "debug") options.onLog(message.message, message.fields);
      },
    });
  }

  tell(message: AgentToMapper): void {
    this.#host.handle(message);
  }

  /** @throws AppError the code that the driver names */
  ask(make: (id: number) => AgentToMapper): Promise<Answered> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#host.handle(make(id));
    });
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.t !== "failed") waiting?.resolve(answer);
    else waiting?.reject(new AppError(known(answer.code), answer.message));
  }
}

function known(code: ErrorCode): ErrorCode {
  return isErrorCode(code) ? code : "internal";
}
