/** rows of devices on their way to a running eKuiper, and results on their way back, at the gateway's broker */
export const [rowsTopics, resultsTopics] = ["$ke/ekuiper/rows", "$ke/ekuiper/results"] as const;
/** what the eKuiper may publish, and what it subscribes to */
export const ekuiperTopics = {
  publish: [`${resultsTopics}/+`],
  subscribe: [`${rowsTopics}/+`, `${resultsTopics}/+`],
} as const;
