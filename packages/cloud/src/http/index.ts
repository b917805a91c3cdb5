export { createHttp, type Http, type HttpOptions } from "./create-http.ts";
export type { HttpServices } from "./http-services.ts";
export { loadPages, type Page } from "./pages.ts";
