import type { TenantUid } from "./ids.ts";

/** Who asks. One administrator may see every tenant; a tenant's own people come later and see only theirs. */
export interface Caller {
  readonly uid: string;
  readonly name: string;
  readonly role: string;
  readonly tenants: "all" | readonly TenantUid[];
}
