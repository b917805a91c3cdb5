/** What is collected in modbus-collect: devices of 1,000 floats side by side, each read ten times a second. */
export const firstUnit = 1;
export const floatsEach = 1000;
export const everyMs = 100;
export const devices = 10;
