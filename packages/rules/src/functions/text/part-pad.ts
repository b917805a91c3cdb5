import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { defineFunction, type ScalarFunction } from "../define-function.ts";
import { bounded, checkLength, textOf, textOrAny } from "./part-arguments.ts";
import { charactersOf } from "./part-characters.ts";

type Spec = Pick<ScalarFunction, "name" | "summary" | "examples"> & { join(text: string, padding: string): string };

/**
 * eKuiper adds so many spaces; strict mode fills up to so many characters, with spaces or what is given, and cuts what is
 * longer, as SQL has it.
 */
export function padFunction({ name, join, ...spec }: Spec): ScalarFunction {
  return defineFunction({
    ...spec,
    name,
    group: "text",
    params: [
      { name: "text", is: textOrAny },
      { name: "length", is: "integer" },
      { name: "with", is: "text", isOptional: true },
    ],
    run: ([text, length, filler], { mode }) => {
      const count = Number(length);
      if (count < 0) throw new RowError(`Cannot call ${name}: length is ${count}, and must not be below 0`);
      checkLength(name, count);
      const all = textOf(text!, { name, param: "text", mode });
      if (mode === "compat") {
        if (filler !== undefined) throw new RowError(`Cannot call ${name}: eKuiper pads with spaces alone`);
        return bounded(name, join(all, " ".repeat(count)));
      }
      const characters = charactersOf(all);
      const missing = count - characters.length;
      if (missing <= 0) return characters.slice(0, count).join("");
      return bounded(name, join(all, padding(name, (filler as string | undefined) ?? " ", missing)));
    },
  });
}

function padding(name: string, filler: string, count: number): string {
  const characters = charactersOf(filler);
  if (characters.length === 0) throw new RowError(`Cannot call ${name}: there is nothing to pad with`);
  effort.eachChar(count);
  let all = "";
  for (let at = 0; at < count; at++) all += characters[at % characters.length]!;
  return all;
}
