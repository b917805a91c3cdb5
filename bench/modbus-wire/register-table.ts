/** What is read in modbus-wire: one unit whose 16-bit registers are all tags, read as the fewest full requests. */
export const unitId = 1;
/** Modbus Application Protocol V1.1b3, 6.3: at most 125 registers in a request */
export const registersEachRequest = 125;
export const requestsEachCycle = 8;
export const registers = registersEachRequest * requestsEachCycle;
