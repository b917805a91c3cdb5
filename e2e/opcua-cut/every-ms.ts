export const everyMs = 100;
