import type { Command } from "commander";

const actions = new WeakMap<object, string>();

/** Runs one step of a command; an error out of it knows what was being done, such as `apply Device "tank"`. */
export async function doing<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // The innermost step says it best.
    if (typeof error === "object" && error !== null && !actions.has(error)) actions.set(error, action);
    throw error;
  }
}

/** What was being done when the error came: a step that said so, else what the command is for. */
export function actionOf(error: unknown, command: Command | null): string | null {
  const step = typeof error === "object" && error !== null ? actions.get(error) : undefined;
  return step ?? (command === null ? null : commandText(command));
}

const words: Readonly<Record<string, string>> = {
  up: "start the demo",
  cloud: "start the cloud",
  edge: "start the gateway",
  join: "join the cloud",
  token: "make a join token for",
  login: "log in",
  doctor: "look at this machine",
  new: "make mapper",
};

/** "set conveyor-01 speed 900": the command with what it was given, options left out. */
function commandText(command: Command): string {
  const text = [words[command.name()] ?? command.name(), ...command.args].join(" ");
  return text.length <= 100 ? text : `${text.slice(0, 97)}...`;
}
