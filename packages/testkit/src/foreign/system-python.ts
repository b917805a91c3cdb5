/** Debian's Python: the one that python3-… packages install into, whatever else is first on the path. */
export const systemPython = "/usr/bin/python3";
