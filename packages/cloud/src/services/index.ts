export type { Authority, Caller, IssuedCertificate, ServiceContext } from "./context.ts";
export { createServices, type Services } from "./create-services.ts";
