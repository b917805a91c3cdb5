/** Where the page's files are: a program that serves them hands this folder to the cloud's `loadPages`. */
export const consoleFolder: URL = new URL("../static/", import.meta.url);
