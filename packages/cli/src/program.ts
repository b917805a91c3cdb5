import { Command, CommanderError } from "commander";
import { alarmCommand } from "./commands/alarm.ts";
import { applyCommand } from "./commands/apply.ts";
import { browseCommand } from "./commands/browse.ts";
import { callCommand } from "./commands/call.ts";
import { cloudCommand } from "./commands/cloud.ts";
import { copyCommand } from "./commands/copy.ts";
import { deleteCommand } from "./commands/delete.ts";
import { describeCommand } from "./commands/describe.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { edgeCommand } from "./commands/edge.ts";
import { exportCommand } from "./commands/export.ts";
import { getCommand } from "./commands/get.ts";
import { historyCommand } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { loginCommand } from "./commands/login.ts";
import { mapperCommand } from "./commands/mapper.ts";
import { mapperDmiCommand } from "./commands/mapper-dmi.ts";
import { modelCommand } from "./commands/model.ts";
import { queryCommand } from "./commands/query.ts";
import { ruleCommand } from "./commands/rule.ts";
import { setCommand } from "./commands/set.ts";
import { trustCommand } from "./commands/trust.ts";
import { undoCommand } from "./commands/undo.ts";
import { upCommand } from "./commands/up.ts";
import { watchCommand } from "./commands/watch.ts";
import { whyCommand } from "./commands/why.ts";
import { actionOf } from "./doing.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { errorText } from "./report-error.ts";
import { version } from "./version.ts";

export function makeProgram(): Command {
  const program = new Command("penstock")
    .description("Machine data from the factory floor to the cloud, and decisions back down")
    .version(version)
    .option("--server <url>", "the cloud to talk to, instead of the one of the last login")
    .option("--tenant <name>", "the tenant to work in")
    .exitOverride()
    .showHelpAfterError("(penstock COMMAND --help shows what it takes)");
  for (const add of [
    upCommand,
    cloudCommand,
    edgeCommand,
    trustCommand,
    loginCommand,
    applyCommand,
    getCommand,
    describeCommand,
    deleteCommand,
    modelCommand,
    copyCommand,
    undoCommand,
    historyCommand,
    exportCommand,
    importCommand,
    setCommand,
    browseCommand,
    callCommand,
    alarmCommand,
    watchCommand,
    queryCommand,
    ruleCommand,
    whyCommand,
    doctorCommand,
    mapperCommand,
    mapperDmiCommand,
  ]) {
    add(program);
  }
  return program;
}

/** Runs one command line and returns the exit code. Errors end on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  let running: Command | null = null;
  const program = makeProgram().hook("preAction", (_, command) => {
    running = command;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCodes.ok.number;
  } catch (error) {
    // Commander has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.number : exitCodes.usage.number;
    const at = args.findIndex((arg) => arg === "-o" || arg === "--output");
    const format = at >= 0 && args[at + 1] === "json" ? "json" : "text";
    console.error(errorText(error, format, actionOf(error, running)));
    return exitCodeOf(error);
  }
}
