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
  /** changes of one subscribed group that wait in its mapper; beyond, the oldest go and are counted */
  newsWaiting: 50_000,
  /** of one step below a path */
  browsedNodes: 2000,
  browsePathSteps: 64,
  /** for which somebody waits */
  browsesPerNode: 16,
  readingsPerBatch: 10_000,
  /** encoded; leaves room in one link message for what stands around it */
  batchBytes: 8 * 1024 * 1024 - 65_536,
  /** of one query or one statement about streams */
  sqlChars: 65_536,
  actionsPerRule: 32,
  sourcesPerRule: 16,
  nodesPerRule: 10_000,
  rulesPerNode: 10_000,
  /** in one report of a gateway; those that are not well first */
  rulesTold: 1000,
  /** that one answer names as wrong */
  fieldsTold: 20,
  ruleMessageChars: 500,
  /** columns that an action names */
  ruleFields: 1000,
  ruleTemplateChars: 16_384,
  /** that an action sends together */
  ruleBatchRows: 10_000,
  /** on disk, of one action */
  ruleCacheBytes: 1024 * 1024 * 1024,
  /** names of files that one action makes, and the bytes of all its files; beyond, the name written to longest ago goes */
  ruleFiles: 1000,
  ruleFileBytes: 1024 * 1024 * 1024,
  /** of what one rule remembers, in a checkpoint; a rule that remembers more begins anew after a restart */
  ruleStateBytes: 16 * 1024 * 1024,
  /** that stand or are shelved at one gateway; the next ones are counted and not raised */
  alarmsPerNode: 10_000,
  /** what became of alarms and the cloud does not have yet; beyond, the oldest go and are counted */
  alarmTransitionsPerNode: 10_000,
  /** of one message */
  alarmTransitionsTold: 200,
  /** on their way to one gateway, and ids that it remembers */
  alarmActsPerNode: 1000,
  alarmShelvedMs: 30 * 24 * 3600 * 1000,
  alarmCommentChars: 1024,
  /** in the history of one tenant; the oldest go */
  alarmTransitionsKept: 1_000_000,
  alarmHistoryMs: 366 * 24 * 3600 * 1000,
  /** that the cloud has yet to tell somebody; beyond, the oldest go and are counted */
  alarmNotices: 10_000,
  /** that a window of a rule keeps; beyond, the oldest go and are counted */
  windowRows: 1_000_000,
  /** of all texts and bytes in them together; beyond, the oldest go as well */
  windowChars: 64 * 1024 * 1024,
  /** answers of one lookup table that a rule keeps */
  lookupAnswers: 100_000,
  /** rows of one answer, and of all texts and bytes in them; an answer that has more is none */
  lookupRows: 1000,
  lookupAnswerChars: 256 * 1024,
  /** of all answers that a rule keeps, and as many of what waits for answers and these; beyond, the oldest go */
  lookupChars: 4 * 1024 * 1024,
  /** rows of a rule that wait for answers; beyond, the oldest go and are counted */
  lookupWaitingRows: 10_000,
  lagRows: 10_000,
  /** of one analytic call of a rule */
  partitionsPerCall: 10_000,
  windowMicros: 366 * 86_400_000_000,
  /** that a rule may do for one input, in units of about 10 ns of what costs most: 50 to 100 ms; all that comes of it ends there */
  ruleInputWork: 5_000_000,
  /** of one regular expression in a rule, and what it may do for each character of a text */
  regexpChars: 1000,
  regexpSteps: 2000,
  /** steps × characters of one call: a fraction of a second */
  regexpWork: 16_000_000,
  /** of one value that a function of a rule makes: elements and fields, those of inner arrays and structs with it */
  ruleValueParts: 65_536,
  /** of all texts and bytes in such a value together */
  ruleValueChars: 4 * 1024 * 1024,
  /** of one text that a function of a rule makes or reads */
  ruleTextChars: 1024 * 1024,
  /** of a JSON path, expressions in each other, and values that one evaluation may touch */
  jsonPathChars: 1024,
  jsonPathDepth: 32,
  jsonPathSteps: 100_000,
  /** of a pattern such as yyyy-MM-dd */
  timePatternChars: 256,
  stringValueBytes: 65_536,
  bytesValueBytes: 65_536,
  resourceBytes: 8 * 1024 * 1024,
  requestBytes: 8 * 1024 * 1024,
  /** of requests that need no login */
  openRequestBytes: 32_768,
  manifestBytes: 1024 * 1024,
  /** that a gateway tells of, and what their manifests may hold together */
  mappersPerNode: 100,
  manifestBytesPerNode: 8 * 1024 * 1024,
  /** how often a gateway may tell of its mappers anew */
  mapperSetsPerMinute: 30,
  propertiesPerDevice: 10_000,
  methodsPerDevice: 256,
  argumentsPerMethod: 64,
  methodTimeoutMaxMs: 10 * 60_000,
  timesOfDay: 96,
  descriptionChars: 1024,
  lineRetriesMost: 5,
  lineInFlightMost: 16,
  lineTimeoutMinMs: 10,
  lineTimeoutMaxMs: 60_000,
  linePauseMaxMs: 10_000,
  lineBackOffMinMs: 10,
  lineBackOffMaxMs: 3600 * 1000,
  offlineAfterMinMs: 1000,
  offlineAfterMaxMs: 24 * 3600 * 1000,
  /** lists and objects in each other in a `custom` block */
  customDepth: 32,
  /** one message or answer of a device that speaks MQTT or HTTP, and how deep lists and objects lie in each other there */
  devicePayloadBytes: 1024 * 1024,
  devicePayloadDepth: 64,
  /** with all placeholders filled in; UTF-8 */
  topicBytes: 512,
  topicLevels: 100,
  /** devices that one copy, import or other bulk change may touch */
  changesPerRequest: 1000,
  /** broken fields that the refusal of a bulk change names */
  fieldsPerRefusal: 200,
  /** of one resource; the oldest go, the last two always stay, so that the last change can be undone */
  versionsPerResource: 100,
  versionBytesPerResource: 32 * 1024 * 1024,
  /** of one tenant; the oldest go */
  changeSets: 10_000,
  /** how long versions of a deleted resource stay */
  deletedKeptMs: 365 * 24 * 3600 * 1000,
  /** paths that one copy may step */
  stepsPerCopy: 64,
  /** of all devices that one copy makes */
  propertiesPerCopy: 100_000,
  /** of a table file: CSV, or XLSX as it is stored */
  tableBytes: 5 * 1024 * 1024,
  /** of all that an XLSX file holds, unpacked */
  tableInflatedBytes: 192 * 1024 * 1024,
  tableRows: 50_000,
  tableColumns: 500,
  /** what Excel and LibreOffice hold at most */
  tableCellChars: 32_767,
  /** what is wrong with a table, told at once */
  tableErrors: 100,
  /** KubeEdge documents of one import */
  kubeedgeDocuments: 1000,
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
  /** that may log in at one gateway, and filters of what each may publish, and subscribe to */
  mqttUsers: 100,
  mqttFiltersPerUser: 100,
  /** of one client, and of all together: beyond, the gateway reads from it later */
  mqttPacketsPerSecond: 1000,
  mqttPacketsPerSecondInAll: 4000,
  /** that wait for one source of the rules at the gateway's broker; beyond, the oldest go and are counted */
  mqttHeardMessages: 10_000,
  mqttHeardBytes: 16 * 1024 * 1024,
  /** messages that clients leave with the broker for late subscribers */
  mqttRetainedTopics: 1000,
  mqttRetainedBytes: 8 * 1024 * 1024,
  countersPerNode: 100,
  liveSubscribersPerUser: 32,
  /** of values on their way to one gateway; what one device waits for stays together up to it */
  desiredMessageBytes: 4 * 1024 * 1024,
  /** values that are held at one gateway, and ids of calls that it remembers */
  holdsPerNode: 1000,
  callsRemembered: 10_000,
  /** a longer text or bytes value that is held at a gateway is not told to the cloud */
  heldValueBytes: 1024,
  /** not ended, of one device: each waits for its turn on the line */
  callsPerDevice: 32,
  holderChars: 64,
  localRequestBytes: 256 * 1024,
  /** made at a gateway by eKuiper's REST shape */
  localRules: 1000,
  localStreams: 1000,
  /** of all of them together */
  localCatalogueChars: 4 * 1024 * 1024,
  /** of one import of them */
  localImportBytes: 8 * 1024 * 1024,
  /** trial runs at once, and how long one is kept */
  trialRuns: 16,
  trialRunMs: 10 * 60_000,
  trialRows: 10_000,
  localConnections: 32,
  /** of all clients together; what comes beyond is told to wait */
  localRequestsPerSecond: 200,
  desiredTtlMaxMs: 24 * 3600 * 1000,
  desiredWaitMaxMs: 60_000,
  joinTokenTtlMaxMs: 7 * 24 * 3600 * 1000,
  collectEveryMinMs: 10,
  collectEveryMaxMs: 24 * 3600 * 1000,
  unackedBytesMin: 65_536,
  loginAttemptsPerMinute: 10,
  passwordBytes: 1024,
} as const;
