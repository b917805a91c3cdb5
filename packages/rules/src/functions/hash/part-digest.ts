import { effort } from "../../run/effort.ts";
import { defineFunction, type HostFunctions, type ScalarFunction } from "../define-function.ts";
import { bytesOf, dataOrAny } from "../text/part-arguments.ts";

type Spec = Pick<ScalarFunction, "summary" | "examples"> & { readonly name: Parameters<HostFunctions["digest"]>[0] };

/** A hash of a text's UTF-8, or of bytes, in small hexadecimal digits. eKuiper hashes bytes as Go prints them. */
export function digestFunction({ name, ...spec }: Spec): ScalarFunction {
  return defineFunction({
    ...spec,
    name,
    group: "hash",
    params: [{ name: "of", is: dataOrAny }],
    run: ([of], { mode, host }) => {
      const bytes = bytesOf(of!, { name, param: "of", mode });
      effort.spend(200);
      effort.chars(bytes.length << 2);
      return hexOf(host.digest(name, bytes));
    },
  });
}

function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
