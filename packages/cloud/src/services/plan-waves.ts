import { type FieldError, invalid } from "@penstock/model";

/** More would be a rollout that nobody follows. */
const wavesMost = 20;

/**
 * Cuts devices into waves: "1,10%,100%" is one device, then as many more as make a tenth of them, then all. What is left
 * behind the last one is a wave of its own; a wave without a device is none.
 *
 * @throws AppError input/invalid when a wave is not more than the one before
 */
export function planWaves<T>(devices: readonly T[], waves: string): T[][] {
  const refuse = (rule: string): FieldError[] => [{ field: "waves", value: JSON.stringify(waves).slice(0, 60), rule }];
  const steps = waves.split(",").map((step) => step.trim());
  if (steps.length > wavesMost) throw invalid(refuse(`must be at most ${wavesMost} waves`));
  const planned: T[][] = [];
  let reached = 0;
  let last = { count: 0, percent: 0 };
  for (const step of steps) {
    const match = /^(\d{1,6})(%?)$/.exec(step);
    const number = Number(match?.[1]);
    const isPercent = match?.[2] === "%";
    if (match === null || number < 1 || (isPercent && number > 100)) {
      throw invalid(refuse("must be counts of devices or percents, such as 1,10%,100%"));
    }
    if (number <= (isPercent ? last.percent : last.count)) throw invalid(refuse("must ascend"));
    last = isPercent ? { ...last, percent: number } : { ...last, count: number };
    const upTo = Math.min(devices.length, isPercent ? Math.ceil((devices.length * number) / 100) : number);
    if (upTo > reached) planned.push(devices.slice(reached, upTo));
    reached = Math.max(reached, upTo);
  }
  if (reached < devices.length) planned.push(devices.slice(reached));
  return planned;
}
