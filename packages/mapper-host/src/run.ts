import type { Duplex } from "node:stream";
import type { Mapper } from "@penstock/mapper-sdk";
import type { Clock, Random } from "@penstock/runtime";
import { type AgentToMapper, encodeMapperFrame, MapperFrameReader } from "@penstock/wire";
import { MapperHost } from "./host.ts";

/** A device that does not let go must not keep the process: the agent waits for its end. */
const closeWithinMs = 2000;

export interface RunOptions {
  readonly mapper: Mapper;
  readonly pipe: Duplex;
  readonly clock: Clock;
  readonly random: Random;
  readonly pid: number;
  readonly folder: string;
}

/**
 * Serves the agent at the other end of the pipe until it says `stop` or is gone, then closes every connection, for two
 * seconds at most. Rejects when the agent breaks the protocol.
 *
 * What is written to the pipe is bounded by what the agent asks for: one answer for each question, so many messages of
 * news a group until it has taken some, and 50 log lines a second.
 */
export function runMapperHost({ pipe, clock, ...options }: RunOptions): Promise<void> {
  const host = new MapperHost({
    ...options,
    clock,
    send: (message) => {
      if (pipe.writable) pipe.write(encodeMapperFrame(message));
    },
  });
  const reader = new MapperFrameReader<AgentToMapper>();
  return new Promise((resolve, reject) => {
    let isEnding = false;
    const end = (settle: () => void) => {
      if (isEnding) return;
      isEnding = true;
      const finish = () => {
        cancel();
        pipe.destroy();
        settle();
      };
      const cancel = clock.after(closeWithinMs, finish);
      host.close().then(finish, finish);
    };
    pipe.on("data", (chunk: Uint8Array) => {
      try {
        for (const message of reader.push(chunk)) {
          if (message.t === "stop") end(resolve);
          else host.handle(message);
        }
      } catch (error) {
        end(() => reject(error));
      }
    });
    pipe.on("error", () => end(resolve));
    pipe.on("close", () => end(resolve));
    pipe.on("end", () => end(resolve));
    host.start();
  });
}
