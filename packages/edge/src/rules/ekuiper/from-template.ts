/** What a data template of eKuiper is here. */
export type Translated =
  | { readonly is: "whole" }
  | { readonly is: "template"; readonly text: string }
  | { readonly is: "refused"; readonly why: string };

const part = /\{\{([\s\S]*?)\}\}/g;
const field = /^\.([^\s.{}|()"]+(?:\.[^\s.{}|()"]+)*)$/;
const index = /^index \. "([^"{}]{1,256})"$/;

/**
 * A template of Go's text/template as one of ours: `{{.field}}`, `{{.a.b}}` and `{{index . "a b"}}` stand for a column,
 * `{{toJson .}}` alone for all of it. Anything else is refused by its own words: guessing would send something else.
 *
 * @source eKuiper, docs/en_US/guide/sinks/data_template.md; Go, text/template (go1.23)
 */
export function fromTemplate(text: string): Translated {
  if (/^\s*\{\{\s*(toJson|json)\s+\.\s*\}\}\s*$/.test(text)) return { is: "whole" };
  let ours = "";
  let at = 0;
  for (const match of text.matchAll(part)) {
    const literal = text.slice(at, match.index);
    const said = match[1]!.trim();
    const name = field.exec(said)?.[1] ?? index.exec(said)?.[1];
    if (name === undefined || name.length > 256) return refused(`{{${said}}} has no equal`);
    const fault = literalFault(literal);
    if (fault !== null) return fault;
    ours += `${literal}\${${name}}`;
    at = match.index + match[0].length;
  }
  const rest = text.slice(at);
  return literalFault(rest) ?? { is: "template", text: ours + rest };
}

function literalFault(text: string): Translated | null {
  if (text.includes("${")) return refused('"${" stands for a column here and cannot be sent as it is');
  return text.includes("{{") ? refused("{{ has no }}") : null;
}

function refused(why: string): Translated {
  return { is: "refused", why };
}
