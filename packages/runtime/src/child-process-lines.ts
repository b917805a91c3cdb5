import { StringDecoder } from "node:string_decoder";

const longestLine = 8192;

/** Cuts a byte stream into lines. What a line has beyond 8 kB is left out, so that no child can fill our memory. */
export class LineSplitter {
  readonly #each: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(each: (line: string) => void) {
    this.#each = each;
  }

  push(bytes: Uint8Array): void {
    this.#take(this.#decoder.write(bytes));
  }

  /** the last line may lack its line feed */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") this.#emit("");
  }

  #take(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.#emit(text.slice(from, at));
      from = at + 1;
    }
    this.#rest = (this.#rest + text.slice(from, from + longestLine)).slice(0, longestLine);
  }

  #emit(text: string): void {
    const line = (this.#rest + text.slice(0, longestLine)).slice(0, longestLine);
    this.#rest = "";
    this.#each(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}
