/** Every input has a limit; each stands here once, with its unit in the name. */
export const limits = {
  frameBytes: 16_384,
  messageBytes: 8 * 1024 * 1024,
  helloBytes: 16_384,
  helloRanges: 256,
  /** of one node, whatever its certificate: what a healthy gateway never comes near */
  sessionsPerMinute: 120,
  epochsPerHour: 20,
  renewalsPerHour: 10,
  /** messages that say what was dropped; a gateway sends one a second at most */
  droppedPerMinute: 120,
  /** reports and the like that are handed to services and not stored yet, of one session */
  controlBytesInFlight: 32 * 1024 * 1024,
  /** pieces that what is held of one epoch may consist of */
  rangesPerEpoch: 1000,
  /** different ones that a node may use while one cloud process runs, and what they may name together */
  layoutsPerNode: 20_000,
  layoutPropertiesPerNode: 10_000_000,
  lanes: 32,
  mapperFrameBytes: 16 * 1024 * 1024,
  readingsPerBatch: 10_000,
  /** encoded; leaves room in one link message for what stands around it */
  batchBytes: 8 * 1024 * 1024 - 65_536,
  stringValueBytes: 65_536,
  bytesValueBytes: 65_536,
  resourceBytes: 8 * 1024 * 1024,
  requestBytes: 8 * 1024 * 1024,
  /** of requests that need no login */
  openRequestBytes: 32_768,
  manifestBytes: 1024 * 1024,
  propertiesPerDevice: 10_000,
  labelsPerResource: 64,
  labelBytes: 63,
  displayNameChars: 256,
  annotationBytes: 4096,
  listPage: 1000,
  seriesPoints: 10_000,
  mqttPacketBytes: 256 * 1024,
  mqttQueuePerClient: 1000,
  mqttQueueBytesPerClient: 4 * 1024 * 1024,
  mqttClients: 1000,
  countersPerNode: 100,
  liveSubscribersPerUser: 32,
  desiredTtlMaxMs: 24 * 3600 * 1000,
  desiredWaitMaxMs: 60_000,
  joinTokenTtlMaxMs: 7 * 24 * 3600 * 1000,
  collectEveryMinMs: 10,
  collectEveryMaxMs: 24 * 3600 * 1000,
  unackedBytesMin: 65_536,
  loginAttemptsPerMinute: 10,
  passwordBytes: 1024,
} as const;
