import { createHmac, timingSafeEqual } from "node:crypto";
import { allFilters, type EffectiveMqtt, type MqttUser, mayPublish, maySubscribe, sameData } from "@penstock/model";

/** Who a client is: a user by its name, or null for one without a login. */
export type Login = string | null;
type Settings = Pick<EffectiveMqtt, "anonymous" | "users">;

/** Who may come in at the embedded broker, and what each may do there. */
export class ClientAccess {
  readonly #salt: Uint8Array;
  #anonymous: EffectiveMqtt["anonymous"] = "subscribe";
  #users = new Map<string, MqttUser>();

  /** @param salt  of this process: passwords are compared as hashes, which take the same time whatever they are */
  constructor(settings: Settings, salt: Uint8Array) {
    this.#salt = salt;
    this.set(settings);
  }

  /** Takes other settings; tells whose rights are no longer the same. */
  set({ anonymous, users }: Settings): (login: Login) => boolean {
    const [before, mayEnter] = [this.#users, this.#mayEnterUnnamed()];
    this.#anonymous = anonymous;
    this.#users = new Map(users.map((user) => [user.name, user]));
    return (login) =>
      login === null ? mayEnter && !this.#mayEnterUnnamed() : !sameData(before.get(login), this.#users.get(login));
  }

  /** @returns who it is; undefined when it may not come in */
  enter(name: string | undefined, password: Uint8Array | undefined): Login | undefined {
    // Where nobody has a login, a name says nothing.
    if (name === undefined || this.#users.size === 0) return this.#mayEnterUnnamed() ? null : undefined;
    const user = this.#users.get(name);
    const isRight = timingSafeEqual(this.#hash(password ?? ""), this.#hash(user?.password ?? ""));
    return isRight && user !== undefined && password !== undefined ? name : undefined;
  }

  mayPublish(login: Login, topic: string): boolean {
    const user = login === null ? undefined : this.#users.get(login);
    return user !== undefined && mayPublish(user.publish, topic);
  }

  maySubscribe(login: Login, filter: string): boolean {
    if (login === null) return this.#mayEnterUnnamed() && maySubscribe(allFilters, filter);
    return maySubscribe(this.#users.get(login)?.subscribe ?? [], filter);
  }

  #mayEnterUnnamed(): boolean {
    return this.#anonymous === "subscribe";
  }

  #hash(password: string | Uint8Array): Buffer {
    return createHmac("sha256", this.#salt).update(password).digest();
  }
}
