import { AppError, type ExactJson, limits, parseExact } from "@penstock/model";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** What a device sent, read as text and as JSON once, however many properties lie in it. */
export class Payload {
  readonly bytes: Uint8Array;
  #text: string | AppError | undefined;
  #json: { readonly value: ExactJson } | AppError | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @throws AppError mapper/bad-answer when it is not UTF-8, or too large */
  get text(): string {
    this.#text ??= attempt(() => decode(this.bytes));
    if (this.#text instanceof AppError) throw this.#text;
    return this.#text as string;
  }

  /** @throws AppError mapper/bad-answer when it is not JSON, too large or too deep */
  get json(): ExactJson {
    this.#json ??= attempt(() => ({ value: boundedJson(this.text) }));
    if (this.#json instanceof AppError) throw this.#json;
    return (this.#json as { readonly value: ExactJson }).value;
  }
}

/**
 * JSON from somebody unknown: integers beyond 2^53 exact, lists and objects at most `limits.devicePayloadDepth` in each other.
 *
 * @throws AppError mapper/bad-answer
 */
export function boundedJson(text: string): ExactJson {
  if (depthOf(text) > limits.devicePayloadDepth) {
    throw new AppError("mapper/bad-answer", `Cannot read JSON: more than ${limits.devicePayloadDepth} levels deep`);
  }
  try {
    return parseExact(text);
  } catch (cause) {
    throw new AppError("mapper/bad-answer", `Cannot read JSON of ${text.length} characters: not JSON`, { cause });
  }
}

/** Counted before anything is built: what works on JSON by recursion must not meet what would end its stack. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inText) {
      if (char === 0x5c) i++;
      else if (char === 0x22) inText = false;
    } else if (char === 0x22) inText = true;
    else if (char === 0x5b || char === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x5d || char === 0x7d) depth--;
  }
  return deepest;
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > limits.devicePayloadBytes) {
    throw new AppError("mapper/bad-answer", `Cannot take ${bytes.length} bytes: limit ${limits.devicePayloadBytes}`);
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError("mapper/bad-answer", `Cannot read ${bytes.length} bytes as text: not UTF-8`, { cause });
  }
}

/** An error is kept as well: a payload that is broken is broken for all its properties, and found so once. */
function attempt<T>(work: () => T): T | AppError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
