import { AppError } from "@penstock/model";
import type { Visitor } from "../fields.ts";
import { fullUuid, shortUuid } from "../uuid.ts";
import type { Adapter } from "./adapter.ts";
import { characteristicInterface, serviceInterface } from "./names.ts";
import { type Objects, textOf, textsOf } from "./objects.ts";
import { Turns } from "./turns.ts";

/** as many as a device can have properties: then all of one cycle fit */
const mostWaiting = 10_000;
export interface AskGatt {
  readonly signal?: AbortSignal;
}

/**
 * Where a characteristic is, below a connected device.
 *
 * @throws AppError mapper/bad-address when there is none, or more than one
 */
export function findCharacteristic(objects: Objects, device: string, { service, characteristic }: Visitor): string {
  const [wanted, within] = [fullUuid(characteristic ?? ""), service === undefined ? null : fullUuid(service)];
  const found = objects.below(device, characteristicInterface).filter((path) => {
    const properties = objects.of(path, characteristicInterface);
    if (textOf(properties, "UUID") !== wanted) return false;
    return (
      within === null || textOf(objects.of(textOf(properties, "Service") ?? "", serviceInterface), "UUID") === within
    );
  });
  if (found.length === 1) return found[0]!;
  const what = `characteristic ${shortUuid(wanted)}${within === null ? "" : ` of service ${shortUuid(within)}`}`;
  const why = found.length === 0 ? "the device has none" : `the device has ${found.length}: state visitor.service`;
  throw new AppError("mapper/bad-address", `Cannot find ${what}: ${why}`);
}

export function flagsOf(objects: Objects, path: string): readonly string[] {
  return textsOf(objects.of(path, characteristicInterface), "Flags");
}

/** What is asked of one device's characteristics: one question at a time, as Bluetooth's own protocol has it. */
export class Gatt {
  readonly #adapter: Adapter;
  readonly #turns = new Turns(mostWaiting);

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  read(path: string, { signal }: AskGatt): Promise<Uint8Array> {
    return this.#turns.take(() => this.#read(path, signal), signal);
  }

  /**
   * @param bytesFor  gives what to write; with what the characteristic holds where `needsPresent`, and nobody comes between
   * @param reply  the device confirms it
   */
  write(
    path: string,
    bytesFor: (present?: Uint8Array) => Uint8Array,
    options: AskGatt & { readonly needsPresent: boolean; readonly reply: boolean },
  ): Promise<void> {
    const { needsPresent, reply, signal } = options;
    return this.#turns.take(async () => {
      const bytes = needsPresent ? bytesFor(await this.#read(path, signal)) : bytesFor();
      const how = { type: { signature: "s", value: reply ? "request" : "command" } };
      await this.#ask(path, "WriteValue", { signature: "aya{sv}", body: [bytes, how] }, signal);
    }, signal);
  }

  /** @param isWanted  asked when its turn has come */
  notify(path: string, how: "StartNotify" | "StopNotify", isWanted: () => boolean): Promise<void> {
    return this.#turns.take(async () => {
      if (isWanted()) await this.#ask(path, how, {});
    });
  }

  async #read(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    const [value] = await this.#ask(path, "ReadValue", { signature: "a{sv}", body: [{}] }, signal);
    if (!(value instanceof Uint8Array))
      throw new AppError(
        "mapper/bad-answer",
        `Cannot read ${path.slice(path.lastIndexOf("/") + 1)}: the answer is no bytes`,
      );
    return value;
  }

  #ask(path: string, member: string, more: object, signal?: AbortSignal) {
    const uuid = textOf(this.#adapter.objects.of(path, characteristicInterface), "UUID") ?? path;
    const what = `${member} of characteristic ${shortUuid(uuid)}`;
    return this.#adapter.ask(path, characteristicInterface, member, { what, ...more, ...(signal && { signal }) });
  }
}
