import { type DestinationStream, type Logger, pino } from "pino";
import type { Log, LogFields, LogLevel } from "./log.ts";

/** Names of fields whose values never reach a log, at any depth up to three. */
const secretFields = ["password", "secret", "token", "authorization", "cookie", "privateKey"];
const redactPaths = secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * JSON lines on `destination` (standard error unless told otherwise): level, time (ISO 8601), program, then the fields.
 * An Error in field `error` is written with its whole cause chain.
 */
export function pinoLog(options: {
  readonly level: LogLevel;
  readonly program: string;
  readonly destination?: DestinationStream;
}): Log {
  const logger = pino(
    {
      level: options.level,
      base: { program: options.program, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: { paths: redactPaths, censor: "(hidden)" },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return wrap(logger);
}

function wrap(logger: Logger): Log {
  return {
    tracing: logger.isLevelEnabled("trace"),
    trace: (fields, message) => logger.trace(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    with: (fields: LogFields) => wrap(logger.child(fields)),
  };
}
