import { invalid } from "@penstock/model";

/** A whole number from the command line. @throws AppError input/invalid naming option, value and rule */
export function wholeNumber(
  option: string,
  text: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= bounds.min && number <= bounds.max) return number;
  const field = { field: option, value: text, rule: `must be a whole number from ${bounds.min} to ${bounds.max}` };
  throw invalid([field]);
}

/** 0 = any free one. */
export function portNumber(option: string, text: string): number {
  return wholeNumber(option, text, { min: 0, max: 65_535 });
}
