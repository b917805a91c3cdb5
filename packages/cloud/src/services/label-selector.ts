import { invalid } from "@penstock/model";

export type LabelRule =
  | { readonly label: string; readonly is: "equal" | "different"; readonly value: string }
  | { readonly label: string; readonly is: "present" | "absent" };

const term = /^(!?)([A-Za-z0-9][A-Za-z0-9._/-]*)(?:(=|!=)([A-Za-z0-9._-]*))?$/;

/**
 * "line=filling,cell!=3,owner,!retired" → rules that all must hold.
 *
 * @throws AppError input/invalid naming the term
 */
export function parseLabelSelector(text: string): LabelRule[] {
  return text.split(",").map((part) => {
    const match = term.exec(part.trim());
    const [, not, label, operator, value] = match ?? [];
    if (label === undefined || (not === "!" && operator !== undefined)) {
      throw invalid([{ field: "labels", value: part, rule: "must be label=value, label!=value, label or !label" }]);
    }
    if (operator === undefined) return { label, is: not === "!" ? "absent" : "present" };
    return { label, is: operator === "=" ? "equal" : "different", value: value ?? "" };
  });
}

export function matchesLabels(rules: readonly LabelRule[], labels: Readonly<Record<string, string>>): boolean {
  return rules.every((rule) => holds(rule, Object.hasOwn(labels, rule.label) ? labels[rule.label] : undefined));
}

/** As in Kubernetes, `different` also holds where the label is missing. */
function holds(rule: LabelRule, value: string | undefined): boolean {
  switch (rule.is) {
    case "equal":
      return value === rule.value;
    case "different":
      return value !== rule.value;
    case "present":
      return value !== undefined;
    case "absent":
      return value === undefined;
  }
}
