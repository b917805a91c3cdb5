/**
 * The one table of errors. code = `stage/condition`, `resource/condition` at the API. HTTP status and CLI exit code
 * follow from the code alone; messages are for people, decisions are made by code.
 */
export interface ErrorSpec {
  /** who can mend it */
  readonly who: "caller" | "operator" | "plant" | "us";
  readonly retry: "never" | "later" | "at-once";
  readonly http: number;
  readonly means: string;
}

export const errors = {
  // any stage
  internal: {
    who: "us",
    retry: "never",
    http: 500,
    means: "Something that should not happen did; the log has it whole",
  },
  aborted: { who: "caller", retry: "at-once", http: 503, means: "The work was called off before it ended" },
  "input/invalid": {
    who: "caller",
    retry: "never",
    http: 400,
    means: "A field breaks its rule; the message names field, value and rule",
  },
  "input/not-yaml": { who: "caller", retry: "never", http: 400, means: "The text is neither YAML nor JSON" },
  "input/too-large": { who: "caller", retry: "never", http: 413, means: "The input is larger than its limit" },
  "input/unknown-kind": { who: "caller", retry: "never", http: 400, means: "No such apiVersion and kind" },

  // mapper
  "mapper/access-denied": {
    who: "operator",
    retry: "later",
    http: 502,
    means: "The device does not accept our user, password, token or certificate, or does not let us do this",
  },
  "mapper/bad-address": {
    who: "caller",
    retry: "never",
    http: 400,
    means: "The device has no such address, or the visitor names one that cannot be",
  },
  "mapper/bad-answer": {
    who: "plant",
    retry: "later",
    http: 502,
    means: "The device answered, but not to this question or not by the protocol",
  },
  "mapper/bad-time": {
    who: "plant",
    retry: "never",
    http: 502,
    means: "The device dated the value in a way that cannot be; it has the time of its arrival",
  },
  "mapper/changes-lost": {
    who: "operator",
    retry: "never",
    http: 502,
    means:
      "Changes before this value are lost: the device's queue for us was full, or it had not kept what a cut line lost",
  },
  "mapper/connect-failed": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "The connection to the device could not be made",
  },
  "mapper/connection-lost": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "The connection to the device ended while a request was in flight",
  },
  "mapper/device-busy": { who: "plant", retry: "later", http: 503, means: "The device answered but asked to wait" },
  "mapper/device-offline": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "Who speaks for the device says that it is not there",
  },
  "mapper/device-failure": { who: "plant", retry: "later", http: 502, means: "The device answered that it failed" },
  "mapper/devices-unfit": {
    who: "operator",
    retry: "never",
    http: 422,
    means: "The gateway has another mapper than before, and devices break a rule of the present one",
  },
  "mapper/function-unsupported": {
    who: "plant",
    retry: "never",
    http: 502,
    means: "The device does not know the function",
  },
  "mapper/gateway-no-response": {
    who: "plant",
    retry: "later",
    http: 504,
    means: "The protocol gateway got no answer from the device behind it",
  },
  "mapper/manifest-differs": {
    who: "operator",
    retry: "never",
    http: 409,
    means: "Two mappers of one name and version do not state the same",
  },
  "mapper/manifest-refused": {
    who: "operator",
    retry: "never",
    http: 422,
    means: "The manifest of a gateway's mapper breaks a rule, so its devices cannot be checked by it",
  },
  "mapper/never-written": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "This end is the server, and nobody has written the place yet",
  },
  "mapper/nothing-told": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "The device tells its values by itself, and has told none since the connection stands",
  },
  "mapper/not-found": { who: "operator", retry: "never", http: 404, means: "No mapper of that name is installed" },
  "mapper/stopped": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "The mapper's process ended and is being started again",
  },
  "mapper/timeout": { who: "plant", retry: "later", http: 504, means: "The device did not answer in time" },
  "mapper/unsupported": { who: "caller", retry: "never", http: 400, means: "The mapper cannot do this" },
  "mapper/value-not-finite": {
    who: "plant",
    retry: "later",
    http: 502,
    means: "The device reported NaN or an infinity",
  },
  "mapper/value-out-of-range": {
    who: "caller",
    retry: "never",
    http: 422,
    means: "The value does not fit the type that the property or the device holds",
  },
  "mapper/value-refused": { who: "plant", retry: "never", http: 422, means: "The device refused the written value" },
  "mapper/wrong-version": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "The mapper speaks another version of the mapper protocol",
  },

  // collect, bus, clock
  "collect/overrun": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "A cycle was skipped because the one before had not ended",
  },
  "collect/line-full": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "A line is hardly ever silent: another device, a write or a retry is too much for it",
  },
  "clock/not-set": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "The gateway's clock was not trusted when the value was read",
  },
  "rules/alarm": { who: "plant", retry: "never", http: 409, means: "An alarm of a rule, in the words of the rule" },
  "rules/no-alarm": {
    who: "caller",
    retry: "never",
    http: 409,
    means: "The alarm does not stand any more, or its rule is gone",
  },
  "rules/bad-sql": {
    who: "caller",
    retry: "never",
    http: 400,
    means: "A query cannot be read or does not fit its streams; the message names line, column and what to write",
  },
  "rules/no-device": {
    who: "caller",
    retry: "never",
    http: 400,
    means: "A rule names a device, or a property of one, that its gateway does not have",
  },
  "rules/loop": {
    who: "caller",
    retry: "never",
    http: 400,
    means: "A rule would be fed with what it gives, by itself or by way of other rules",
  },
  "rules/unknown-action": {
    who: "operator",
    retry: "never",
    http: 501,
    means: "The gateway is of a version that does not have this kind of action or source",
  },
  "rules/action-failed": {
    who: "operator",
    retry: "later",
    http: 502,
    means: "A result of a rule could not be delivered or acted on",
  },
  "rules/over-budget": {
    who: "caller",
    retry: "never",
    http: 503,
    means: "A rule used too much of the gateway's processor and was stopped",
  },
  "rules/no-value": { who: "plant", retry: "later", http: 503, means: "A rule gave null for the value" },
  "rules/sink-refused": {
    who: "operator",
    retry: "never",
    http: 502,
    means: "Where results of a rule go, they are refused and always will be; the message has the peer's words",
  },
  "rules/sink-unreachable": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "Where results of a rule go, nobody answers, or asks to come later",
  },
  "rules/ekuiper-refused": {
    who: "caller",
    retry: "never",
    http: 422,
    means: "The eKuiper that runs the gateway's rules refuses one; the message has its words",
  },
  "rules/ekuiper-unreachable": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "The eKuiper that runs the gateway's rules does not answer; what is assigned is tried again",
  },
  "bus/dropped": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "A consumer fell behind its bound and the oldest messages were dropped",
  },

  // bypass
  "bypass/publish-refused": {
    who: "caller",
    retry: "never",
    http: 403,
    means: "A local client may not publish there: without a login nowhere, with one to what its user may",
  },
  "bypass/broker-away": {
    who: "plant",
    retry: "later",
    http: 503,
    means: "The MQTT broker that was chosen for the gateway cannot be reached; rules try again",
  },
  "bypass/packet-too-large": {
    who: "caller",
    retry: "never",
    http: 413,
    means: "An MQTT packet is larger than its limit",
  },
  "bypass/too-many-clients": {
    who: "operator",
    retry: "later",
    http: 503,
    means: "The broker has as many clients as it may",
  },

  // outbox
  "outbox/full": {
    who: "operator",
    retry: "later",
    http: 507,
    means: "The outbox is at its bound and its policy is to refuse",
  },
  "outbox/disk-full": { who: "operator", retry: "later", http: 507, means: "The disk has no room for the outbox" },
  "outbox/corrupt": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "A segment in the middle of the outbox fails its checksum",
  },
  "outbox/write-failed": { who: "operator", retry: "later", http: 500, means: "The disk refused a write or a sync" },

  // link
  "link/bad-frame": { who: "us", retry: "later", http: 400, means: "A frame or message breaks the link protocol" },
  "link/frame-too-large": {
    who: "us",
    retry: "later",
    http: 413,
    means: "A frame or message is larger than its limit",
  },
  "link/no-common-version": {
    who: "operator",
    retry: "never",
    http: 426,
    means: "Both ends share no version of the link protocol; the message names both ranges",
  },
  "link/not-authorized": {
    who: "operator",
    retry: "never",
    http: 403,
    means: "The certificate is unknown, revoked or not of this node",
  },
  "link/replaced": {
    who: "operator",
    retry: "later",
    http: 409,
    means: "A newer session with the same certificate took over",
  },
  "link/closed": { who: "operator", retry: "later", http: 503, means: "The link is down" },
  "link/silent": { who: "operator", retry: "later", http: 504, means: "The other end has said nothing for too long" },
  "link/duplicate-node": {
    who: "operator",
    retry: "never",
    http: 409,
    means: "Two machines use the same node certificate",
  },
  "link/certificate-refused": {
    who: "operator",
    retry: "never",
    http: 495,
    means: "The other end's certificate is not one we trust",
  },

  // ingest, store
  "ingest/not-assigned": {
    who: "operator",
    retry: "never",
    http: 403,
    means: "The node sent readings of a device that was never assigned to it",
  },
  "ingest/fenced": {
    who: "operator",
    retry: "later",
    http: 409,
    means: "An older session tried to store after a newer one had begun",
  },
  "ingest/gap": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "Readings were lost before they reached the cloud; the range is named",
  },
  "store/write-failed": { who: "operator", retry: "later", http: 500, means: "The store could not commit" },
  "store/corrupt": { who: "operator", retry: "never", http: 500, means: "Stored data fails its checksum or shape" },

  // data folder, ports
  "data/newer-version": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "The data folder was written by a newer Penstock",
  },
  "data/in-use": { who: "operator", retry: "later", http: 500, means: "Another process uses the data folder" },
  "data/not-writable": { who: "operator", retry: "never", http: 500, means: "The data folder cannot be written" },
  "data/write-failed": { who: "operator", retry: "later", http: 500, means: "The disk refused a write or a sync" },
  "data/corrupt": { who: "operator", retry: "never", http: 500, means: "A file of the data folder fails its checksum" },
  "data/key-exposed": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "Others can read the key of the stored secrets, or it is no key",
  },
  "data/key-missing": {
    who: "operator",
    retry: "never",
    http: 500,
    means: "Secrets are stored that the key here does not open",
  },
  "data/disk-full": { who: "operator", retry: "later", http: 507, means: "The disk of the data folder is full" },
  "port/in-use": { who: "operator", retry: "later", http: 500, means: "Another program listens on the port" },

  // join
  "join/token-invalid": {
    who: "operator",
    retry: "never",
    http: 401,
    means: "The join token is unknown, used, expired or for another node",
  },
  "join/ca-mismatch": {
    who: "operator",
    retry: "never",
    http: 495,
    means: "The server's CA is not the one that the token names",
  },

  // API
  "request/unauthenticated": { who: "caller", retry: "never", http: 401, means: "No valid login or token" },
  "request/forbidden": { who: "caller", retry: "never", http: 403, means: "The login may not do this" },
  "request/wrong-origin": {
    who: "caller",
    retry: "never",
    http: 403,
    means: "A browser sent a write from another origin",
  },
  "request/not-found": { who: "caller", retry: "never", http: 404, means: "No such route" },
  "request/precondition-required": {
    who: "caller",
    retry: "never",
    http: 428,
    means: "A change needs If-Match or If-None-Match",
  },
  "request/precondition-failed": {
    who: "caller",
    retry: "never",
    http: 412,
    means: "The resource has changed since it was read",
  },
  "request/key-reused": {
    who: "caller",
    retry: "never",
    http: 422,
    means: "The Idempotency-Key was used for another request",
  },
  "request/too-many": { who: "caller", retry: "later", http: 429, means: "Too many requests; wait before the next" },
  "request/unsupported-media": {
    who: "caller",
    retry: "never",
    http: 415,
    means: "The body's media type is not one this route takes",
  },

  // resources
  "resource/not-found": { who: "caller", retry: "never", http: 404, means: "No such resource in this tenant" },
  "resource/name-taken": {
    who: "caller",
    retry: "never",
    http: 409,
    means: "Another resource of this kind has the name",
  },
  "resource/in-use": { who: "caller", retry: "never", http: 409, means: "Another resource refers to it" },
  "resource/changed-since": {
    who: "caller",
    retry: "never",
    http: 409,
    means: "A resource has changed since the change that is to be undone",
  },
  "resource/rolling-out": {
    who: "caller",
    retry: "later",
    http: 409,
    means: "A new version of it is being rolled out in waves",
  },
  "resource/missing-reference": {
    who: "caller",
    retry: "never",
    http: 422,
    means: "It refers to a resource that does not exist",
  },

  // services
  "services/notice-refused": {
    who: "operator",
    retry: "later",
    http: 502,
    means: "A webhook or mail server did not take a message about an alarm",
  },
  "services/line-overloaded": {
    who: "caller",
    retry: "never",
    http: 409,
    means: "The devices of a line ask for more than its time, so cycles will be skipped",
  },

  // desired values
  "twin/unknown-property": { who: "caller", retry: "never", http: 404, means: "The device has no such property" },
  "twin/unknown-method": { who: "caller", retry: "never", http: 404, means: "The device has no such method" },
  "twin/held": {
    who: "caller",
    retry: "later",
    http: 409,
    means: "A value set at the gateway holds the property until it is released",
  },
  "twin/outcome-unknown": {
    who: "plant",
    retry: "never",
    http: 502,
    means: "A method was sent and not answered; whether the device acted is not known",
  },
  "twin/read-only": { who: "caller", retry: "never", http: 422, means: "The property cannot be written" },
  "twin/wrong-type": { who: "caller", retry: "never", http: 422, means: "The value is not of the property's type" },
  "twin/out-of-range": { who: "caller", retry: "never", http: 422, means: "The value is outside the property's range" },
  "twin/expired": {
    who: "operator",
    retry: "later",
    http: 504,
    means: "The desired value's time to live ended before it was confirmed",
  },
  "twin/superseded": { who: "caller", retry: "never", http: 409, means: "A newer desired value took its place" },
  "twin/not-confirmed": {
    who: "plant",
    retry: "later",
    http: 502,
    means: "The value was written, but read back as another",
  },
  "twin/pending": {
    who: "operator",
    retry: "later",
    http: 202,
    means: "The desired value waits; the gateway is not connected or the device has not answered",
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof errors;

/** One field that breaks its rule. */
export interface FieldError {
  /** JSON-pointer-like path as the user wrote it: "spec.properties.speed.collect.every" */
  readonly field: string;
  /** the offending value, shortened for people */
  readonly value: string;
  readonly rule: string;
}

/** Known to every copy of this file: a mapper that somebody bundled with its own model still throws our errors. */
const appErrorMark = Symbol.for("penstock.AppError");

export class AppError extends Error {
  readonly [appErrorMark] = true;
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; fields?: readonly FieldError[] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.fields = options.fields ?? [];
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass asks for itself, not for any AppError.
    // biome-ignore lint/complexity/noThisInStatic: the class that was asked, not the one this stands in
    if (this !== AppError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && appErrorMark in value;
  }
}

export function codeOf(error: unknown): ErrorCode {
  return error instanceof AppError ? error.code : "internal";
}

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(errors, text);
}

export function isRetriable(error: unknown): boolean {
  return error instanceof AppError && errors[error.code].retry !== "never";
}

/** "field x: value y: rule" for each field, in one sentence per field. */
export function invalid(fields: readonly FieldError[]): AppError {
  const text = fields.map((f) => `Invalid ${f.field}: ${f.value}: ${f.rule}`).join("; ");
  return new AppError("input/invalid", text, { fields });
}
