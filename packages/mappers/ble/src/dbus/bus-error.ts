/** What the owner of a name, or the bus itself, answered instead of a result: "org.bluez.Error.NotConnected". */
export class BusError extends Error {
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text === "" ? errorName : `${errorName}: ${text}`);
    this.errorName = errorName;
  }
}
