import type { Contract, ResponseOf } from "@penstock/api";
import { AppError, invalid, stringifyExact } from "@penstock/model";
import type { Command } from "commander";
import type { Document } from "../check-documents.ts";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { formatOf, print, yamlText } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";
import { readDocuments } from "./apply.ts";

type Rollout = ResponseOf<Contract["modelling"]["routes"]["getRollout"]>;
interface Output {
  readonly output?: string;
}

/** Models: made of devices, and edited with an eye on what that does to them. */
export function modelCommand(program: Command): void {
  const model = program.command("model").description("make a model of devices, and bring its next version to them");
  const flagsOf = (command: Command) => connect(command.optsWithGlobals() as ContextFlags);

  model
    .command("from <device> [others...]")
    .description("lift what devices have in common into a model that they then use; in effect each stays as it is")
    .requiredOption("--name <model>", "name of the new model")
    .option("--dry-run", "show what would come of it, and store nothing")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        device: string,
        of: string[],
        options: { name: string; dryRun?: boolean } & Output,
        command: Command,
      ): Promise<void> => {
        const { client, context } = flagsOf(command);
        const made = await client.modelling.extractModel({
          params: { tenant: context.tenant, device },
          body: { model: options.name, of, dryRun: options.dryRun === true },
        });
        const done = options.dryRun === true ? "would be" : "is";
        print(formatOf(options.output), made, () =>
          [
            `DeviceModel "${made.model.name}" ${done} made of ${made.devices.map(({ name }) => name).join(", ")}`,
            yamlText(made.model.spec).trimEnd(),
            ...made.devices.flatMap(({ name, spec }) => [
              "",
              `What stays in Device "${name}":`,
              yamlText(spec).trimEnd(),
            ]),
          ].join("\n"),
        );
      },
    );

  model
    .command("preview")
    .description("which devices an edited model touches, and what changes in each; nothing is stored")
    .requiredOption("-f, --file <file>", "file with the model as it is to be (- for standard input)")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { file: string } & Output, command: Command) => {
      const { client, context } = flagsOf(command);
      const { name, tenant = context.tenant, spec } = await readModel(options.file);
      const seen = await client.modelling.preview({ params: { tenant, name }, body: { spec } as never });
      print(formatOf(options.output), seen, () => {
        const rows = seen.touches.flatMap(({ device, changes, changed, breaks }) => [
          ...changes.map(({ field, before, after }) => [device, field, stringifyExact(before), stringifyExact(after)]),
          ...(changed > changes.length ? [[device, `and ${changed - changes.length} more`, "", ""]] : []),
          ...breaks.map(({ field, value, rule }) => [device, field, value, `breaks: ${rule}`]),
        ]);
        const head = `DeviceModel "${name}" touches ${seen.touches.length} devices, ${seen.untouched} stay as they are`;
        return rows.length === 0 ? head : `${head}\n${tableText(["device", "field", "before", "after"], rows)}`;
      });
    });

  model
    .command("roll")
    .description("store an edited model; its devices take it wave by wave, and all stops when a wave is not well")
    .requiredOption("-f, --file <file>", "file with the model as it is to be (- for standard input)")
    .option("--waves <list>", "how many devices have it after each wave, as counts or percents", "1,10%,100%")
    .option("--pause <duration>", "between two waves", "10m")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { file: string; waves: string; pause: string } & Output, command: Command) => {
      const { client, context } = flagsOf(command);
      const { name, tenant = context.tenant, spec } = await readModel(options.file);
      const params = { tenant, name };
      const { metadata } = await client.deviceModels.get({ params });
      const body = { spec, waves: options.waves, pause: options.pause } as never;
      const rollout = await doing(`roll DeviceModel "${name}"`, () =>
        client.modelling.beginRollout({ params, body, ifMatch: metadata.resourceVersion }),
      );
      print(formatOf(options.output), rollout, () => rolloutText(rollout));
    });

  model
    .command("rollout <name>")
    .description("how far the latest version of a model has come; or pause, resume or cancel it")
    .option("--pause", "go no further for now")
    .option("--resume", "go on, also after it stopped by itself")
    .option("--cancel", "give all devices the version before, and end it")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (name: string, options: { pause?: true; resume?: true; cancel?: true } & Output, command: Command) => {
        const { client, context } = flagsOf(command);
        const params = { tenant: context.tenant, name };
        const asked = (["pause", "resume", "cancel"] as const).filter((action) => options[action] === true);
        if (asked.length > 1) {
          throw invalid([{ field: `--${asked[1]}`, value: "given", rule: `cannot stand beside --${asked[0]}` }]);
        }
        const [action] = asked;
        const rollout =
          action === undefined
            ? await client.modelling.getRollout({ params })
            : await client.modelling.actRollout({ params: { ...params, action } });
        print(formatOf(options.output), rollout, () => rolloutText(rollout));
      },
    );
}

function rolloutText(rollout: Rollout): string {
  const { model, state, message, waves, dueAt, startedBy, startedAt } = rollout;
  const rows = waves.map(({ devices, reached }, i) => {
    const named = devices.slice(0, 5).join(", ");
    const more = devices.length > 5 ? ` and ${devices.length - 5} more` : "";
    return [String(i + 1), reached ? "has it" : "waits", `${named}${more}`];
  });
  const head = `Rollout of DeviceModel "${model}" is ${state}${message === null ? "" : `: ${message}`}`;
  const when = `begun by ${startedBy} at ${timeText(startedAt)}${dueAt === null ? "" : `, next step at ${timeText(dueAt)}`}`;
  return [head, when, tableText(["wave", "state", "devices"], rows)].join("\n");
}

async function readModel(file: string): Promise<{ name: string; tenant?: string; spec: unknown }> {
  const [document, ...others] = (await readDocuments(file)) as Document[];
  if (document?.kind !== "DeviceModel" || others.length > 0) {
    throw new AppError("input/invalid", `Cannot read "${file}": must be one document of kind DeviceModel`);
  }
  return { ...document.metadata, spec: document.spec };
}
