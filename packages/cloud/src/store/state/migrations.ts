import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration, MigrationProvider } from "kysely/migration";

/** What differs between the engines: how a table numbers its own rows. */
export type Engine = "sqlite" | "postgres";

/** One set of migrations for SQLite and PostgreSQL; a landed one never changes, the next change is a new one. */
export function stateMigrations(engine: Engine): MigrationProvider {
  return {
    getMigrations: async () => ({
      "0001-first": first(engine),
      "0002-node-sightings": nodeSightings,
      "0003-lost": lost,
      "0007-model-rollouts": modelRollouts,
      "0008-resource-history": resourceHistory,
      "0009-desired-times": desiredTimes,
      "0010-holds-and-calls": holdsAndCalls,
      "0011-node-mappers": nodeMappers,
      "0013-rule-alarms": ruleAlarms(engine),
      "0014-audit-of-resource": auditOfResource,
      "0015-alarms-side-by-side": alarmsSideBySide,
    }),
  };
}

const required = (column: ColumnDefinitionBuilder) => column.notNull();

function first(engine: Engine): Migration {
  const numbered = (column: ColumnDefinitionBuilder) =>
    engine === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey().generatedByDefaultAsIdentity();
  return {
    // Times are bigint: microseconds need 51 bits.
    async up(db: Kysely<unknown>) {
      const table = (name: string) => db.schema.createTable(name);
      await table("resources")
        .addColumn("uid", "text", (c) => c.primaryKey())
        .addColumn("tenant_uid", "text", required)
        .addColumn("kind", "text", required)
        .addColumn("name", "text", required)
        .addColumn("display_name", "text")
        .addColumn("labels", "text", required)
        .addColumn("spec", "text", required)
        .addColumn("generation", "integer", required)
        .addColumn("resource_version", "bigint", required)
        .addColumn("created_at", "bigint", required)
        .addColumn("updated_at", "bigint", required)
        .addColumn("deleted_at", "bigint")
        .execute();
      await db.schema
        .createIndex("resources_live_name")
        .on("resources")
        .columns(["tenant_uid", "kind", "name"])
        .unique()
        .where(sql.ref("deleted_at"), "is", null)
        .execute();
      await table("users")
        .addColumn("uid", "text", (c) => c.primaryKey())
        .addColumn("tenant_uid", "text", required)
        .addColumn("name", "text", (c) => c.notNull().unique())
        .addColumn("password_hash", "text", required)
        .addColumn("role", "text", required)
        .addColumn("created_at", "bigint", required)
        .addColumn("updated_at", "bigint", required)
        .addColumn("disabled_at", "bigint")
        .execute();
      await table("sessions")
        .addColumn("token_hash", "text", (c) => c.primaryKey())
        .addColumn("user_uid", "text", required)
        .addColumn("kind", "text", required)
        .addColumn("created_at", "bigint", required)
        .addColumn("expires_at", "bigint", required)
        .execute();
      await table("assignments")
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("device_uid", "text", required)
        .addColumn("first_at", "bigint", required)
        .addColumn("ended_at", "bigint")
        .addPrimaryKeyConstraint("assignments_key", ["tenant_uid", "node_uid", "device_uid"])
        .execute();
      await table("assigned_versions")
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("version", "bigint", required)
        .addColumn("applied", "bigint", required)
        .addPrimaryKeyConstraint("assigned_versions_key", ["tenant_uid", "node_uid"])
        .execute();
      await table("join_tokens")
        .addColumn("token_hash", "text", (c) => c.primaryKey())
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("created_by", "text", required)
        .addColumn("created_at", "bigint", required)
        .addColumn("expires_at", "bigint", required)
        .addColumn("used_at", "bigint")
        .addColumn("revoked_at", "bigint")
        .execute();
      await table("node_certificates")
        .addColumn("fingerprint", "text", (c) => c.primaryKey())
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("key_hash", "text", required)
        .addColumn("serial", "text", required)
        .addColumn("issued_at", "bigint", required)
        .addColumn("expires_at", "bigint", required)
        .addColumn("revoked_at", "bigint")
        .execute();
      await db.schema
        .createIndex("node_certificates_node")
        .on("node_certificates")
        .columns(["tenant_uid", "node_uid"])
        .execute();
      await table("desired")
        .addColumn("tenant_uid", "text", required)
        .addColumn("device_uid", "text", required)
        .addColumn("property", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("version", "bigint", required)
        .addColumn("type", "text", required)
        .addColumn("value", "text", required)
        .addColumn("state", "text", required)
        .addColumn("reason", "text")
        .addColumn("message", "text")
        .addColumn("reported_value", "text")
        .addColumn("requested_by", "text", required)
        .addColumn("requested_at", "bigint", required)
        .addColumn("updated_at", "bigint", required)
        .addColumn("expires_at", "bigint", required)
        .addColumn("taken_at", "bigint")
        .addPrimaryKeyConstraint("desired_key", ["tenant_uid", "device_uid", "property"])
        .execute();
      await db.schema.createIndex("desired_node").on("desired").columns(["tenant_uid", "node_uid", "state"]).execute();
      await table("alarms")
        .addColumn("id", "integer", numbered)
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("code", "text", required)
        .addColumn("key", "text", required)
        .addColumn("severity", "text", required)
        .addColumn("message", "text", required)
        .addColumn("raised_at", "bigint", required)
        .addColumn("last_at", "bigint", required)
        .addColumn("count", "integer", required)
        .addColumn("cleared_at", "bigint")
        .execute();
      await db.schema
        .createIndex("alarms_raised")
        .on("alarms")
        .columns(["tenant_uid", "node_uid", "code", "key"])
        .unique()
        .where(sql.ref("cleared_at"), "is", null)
        .execute();
      await table("idempotency_keys")
        .addColumn("scope", "text", required)
        .addColumn("key", "text", required)
        .addColumn("request_hash", "text", required)
        .addColumn("status", "integer", required)
        .addColumn("body", "text", required)
        .addColumn("created_at", "bigint", required)
        .addPrimaryKeyConstraint("idempotency_keys_key", ["scope", "key"])
        .execute();
      await table("audit")
        .addColumn("id", "integer", numbered)
        .addColumn("tenant_uid", "text", required)
        .addColumn("at", "bigint", required)
        .addColumn("actor", "text", required)
        .addColumn("action", "text", required)
        .addColumn("kind", "text", required)
        .addColumn("name", "text", required)
        .addColumn("uid", "text", required)
        .addColumn("detail", "text", required)
        .execute();
      await db.schema.createIndex("audit_tenant_at").on("audit").columns(["tenant_uid", "at"]).execute();
      await table("counters")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("value", "bigint", required)
        .execute();
      await table("settings")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("value", "text", required)
        .execute();
    },
  };
}

/** When a node was last heard of, over a restart; and indexes for what is looked up or cleaned out by time or device. */
const nodeSightings: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("node_sightings")
      .addColumn("tenant_uid", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("last_seen_at", "bigint", required)
      .addColumn("agent_version", "text")
      .addPrimaryKeyConstraint("node_sightings_key", ["tenant_uid", "node_uid"])
      .execute();
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns).execute();
    await index("idempotency_keys_created", "idempotency_keys", ["created_at"]);
    await index("sessions_expires", "sessions", ["expires_at"]);
    await index("desired_expires", "desired", ["state", "expires_at"]);
    await index("assignments_device", "assignments", ["tenant_uid", "device_uid"]);
  },
};

/** What an alarm of lost readings counts: one alarm an epoch, however many ranges there are. */
const lost: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("alarms").addColumn("lost", "text").execute();
  },
};

/** Models that reach their devices in waves. */
const modelRollouts: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("model_rollouts")
      .addColumn("tenant_uid", "text", required)
      .addColumn("model_uid", "text", required)
      .addColumn("state", "text", required)
      .addColumn("previous", "text", required)
      .addColumn("waves", "text", required)
      .addColumn("reached", "integer", required)
      .addColumn("pause_ms", "bigint", required)
      .addColumn("due_at", "bigint")
      .addColumn("unwell", "text", required)
      .addColumn("message", "text")
      .addColumn("started_by", "text", required)
      .addColumn("started_at", "bigint", required)
      .addColumn("updated_at", "bigint", required)
      .addPrimaryKeyConstraint("model_rollouts_key", ["tenant_uid", "model_uid"])
      .execute();
  },
};

/** Every stored state of a tenant's resources and what was changed at once. What is there already becomes version 1. */
const resourceHistory: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("resource_versions")
      .addColumn("tenant_uid", "text", required)
      .addColumn("uid", "text", required)
      .addColumn("version", "integer", required)
      .addColumn("kind", "text", required)
      .addColumn("name", "text", required)
      .addColumn("action", "text", required)
      .addColumn("generation", "integer", required)
      .addColumn("resource_version", "bigint", required)
      .addColumn("display_name", "text")
      .addColumn("labels", "text", required)
      .addColumn("spec", "text", required)
      .addColumn("change_set", "bigint", required)
      .addColumn("actor", "text", required)
      .addColumn("at", "bigint", required)
      .addPrimaryKeyConstraint("resource_versions_key", ["uid", "version"])
      .execute();
    await db.schema
      .createTable("change_sets")
      .addColumn("tenant_uid", "text", required)
      .addColumn("number", "bigint", required)
      .addColumn("reason", "text", required)
      .addColumn("note", "text")
      .addColumn("actor", "text", required)
      .addColumn("at", "bigint", required)
      .addColumn("resources", "integer", required)
      .addColumn("undoes", "bigint")
      .addPrimaryKeyConstraint("change_sets_key", ["tenant_uid", "number"])
      .execute();
    const index = (name: string, columns: string[]) =>
      db.schema.createIndex(name).on("resource_versions").columns(columns).execute();
    await index("resource_versions_change", ["tenant_uid", "change_set"]);
    await index("resource_versions_name", ["tenant_uid", "kind", "name"]);
    await sql`
      insert into resource_versions
      select tenant_uid, uid, 1, kind, name, case when deleted_at is null then 'create' else 'delete' end, generation,
        resource_version, display_name, labels, spec, 0, 'system', updated_at
      from resources where tenant_uid <> ''`.execute(db);
  },
};

/** When a desired value made each step; unknown of the steps made before. */
const desiredTimes: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("desired").addColumn("written_at", "bigint").execute();
    await db.schema.alterTable("desired").addColumn("ended_at", "bigint").execute();
  },
};

/** Values that gateways hold, and calls of methods. */
const holdsAndCalls: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("holds")
      .addColumn("tenant_uid", "text", required)
      .addColumn("device_uid", "text", required)
      .addColumn("property", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("holder", "text", required)
      .addColumn("type", "text", required)
      .addColumn("value", "text")
      .addColumn("since", "bigint", required)
      .addColumn("until", "bigint")
      .addPrimaryKeyConstraint("holds_key", ["tenant_uid", "device_uid", "property"])
      .execute();
    await db.schema
      .createTable("device_calls")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("tenant_uid", "text", required)
      .addColumn("device_uid", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("method", "text", required)
      .addColumn("arguments", "text", required)
      .addColumn("state", "text", required)
      .addColumn("reason", "text")
      .addColumn("message", "text")
      .addColumn("result_type", "text")
      .addColumn("result", "text")
      .addColumn("steps", "text", required)
      .addColumn("requested_by", "text", required)
      .addColumn("requested_at", "bigint", required)
      .addColumn("expires_at", "bigint", required)
      .addColumn("offered_at", "bigint")
      .addColumn("sent_at", "bigint")
      .addColumn("ended_at", "bigint")
      .execute();
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns).execute();
    await index("holds_node", "holds", ["tenant_uid", "node_uid"]);
    await index("device_calls_node", "device_calls", ["tenant_uid", "node_uid", "state"]);
    await index("device_calls_open", "device_calls", ["state", "expires_at"]);
    await index("device_calls_device", "device_calls", ["tenant_uid", "device_uid", "method", "requested_at"]);
  },
};

/** Mappers that gateways have, their manifests, and what does not fit them. */
const nodeMappers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("node_mappers")
      .addColumn("tenant_uid", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("name", "text", required)
      .addColumn("version", "text", required)
      .addColumn("hash", "text", required)
      .addPrimaryKeyConstraint("node_mappers_key", ["tenant_uid", "node_uid", "name"])
      .execute();
    await db.schema
      .createTable("node_mapper_sets")
      .addColumn("tenant_uid", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("told_at", "bigint", required)
      .addColumn("checked", "text")
      .addPrimaryKeyConstraint("node_mapper_sets_key", ["tenant_uid", "node_uid"])
      .execute();
    await db.schema
      .createTable("mapper_manifests")
      .addColumn("tenant_uid", "text", required)
      .addColumn("hash", "text", required)
      .addColumn("text", "text", required)
      .addColumn("taken_at", "bigint", required)
      .addPrimaryKeyConstraint("mapper_manifests_key", ["tenant_uid", "hash"])
      .execute();
    await db.schema
      .createTable("mapper_findings")
      .addColumn("tenant_uid", "text", required)
      .addColumn("uid", "text", required)
      .addColumn("node_uid", "text", required)
      .addColumn("kind", "text", required)
      .addColumn("name", "text", required)
      .addColumn("fields", "text", required)
      .addColumn("found_at", "bigint", required)
      .addPrimaryKeyConstraint("mapper_findings_key", ["tenant_uid", "uid"])
      .execute();
    await db.schema
      .createIndex("mapper_findings_node")
      .on("mapper_findings")
      .columns(["tenant_uid", "node_uid"])
      .execute();
  },
};

/** Alarms of rules beside those of the system: how they stand, what became of them, and what people did. */
function ruleAlarms(engine: Engine): Migration {
  const numbered = (column: ColumnDefinitionBuilder) =>
    engine === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey().generatedByDefaultAsIdentity();
  return {
    async up(db: Kysely<unknown>) {
      const alter = (name: string, type: "text" | "bigint") =>
        db.schema.alterTable("alarms").addColumn(name, type).execute();
      for (const name of ["state", "rule_uid", "rule_name", "alarm", "device_uid", "epoch"]) await alter(name, "text");
      for (const name of ["occurrence", "transition", "acknowledged_at", "shelved_at", "shelved_until", "escalated"])
        await alter(name, "bigint");
      for (const name of ["acknowledged_by", "comment", "shelved_by"]) await alter(name, "text");
      await sql`update alarms set state = case when cleared_at is null then 'unacknowledged' else 'normal' end`.execute(
        db,
      );
      const index = (name: string, table: string, columns: string[]) =>
        db.schema.createIndex(name).on(table).columns(columns);
      await index("alarms_state", "alarms", ["tenant_uid", "state"]).execute();
      await index("alarms_rule", "alarms", ["tenant_uid", "node_uid", "rule_uid", "alarm", "key"]).execute();
      await db.schema
        .createTable("alarm_transitions")
        .addColumn("id", "integer", numbered)
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("alarm_id", "integer", required)
        .addColumn("epoch", "text")
        .addColumn("number", "bigint")
        .addColumn("kind", "text", required)
        .addColumn("time", "bigint", required)
        .addColumn("state", "text", required)
        .addColumn("severity", "text", required)
        .addColumn("message", "text", required)
        .addColumn("count", "bigint", required)
        .addColumn("who", "text")
        .addColumn("comment", "text")
        .execute();
      await index("alarm_transitions_number", "alarm_transitions", ["tenant_uid", "node_uid", "epoch", "number"])
        .unique()
        .execute();
      await index("alarm_transitions_alarm", "alarm_transitions", ["tenant_uid", "alarm_id", "id"]).execute();
      await index("alarm_transitions_time", "alarm_transitions", ["tenant_uid", "time"]).execute();
      await db.schema
        .createTable("alarm_acts")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("tenant_uid", "text", required)
        .addColumn("node_uid", "text", required)
        .addColumn("alarm_id", "integer", required)
        .addColumn("kind", "text", required)
        .addColumn("comment", "text")
        .addColumn("until", "bigint")
        .addColumn("state", "text", required)
        .addColumn("reason", "text")
        .addColumn("requested_by", "text", required)
        .addColumn("requested_at", "bigint", required)
        .addColumn("ended_at", "bigint")
        .execute();
      await index("alarm_acts_node", "alarm_acts", ["tenant_uid", "node_uid", "state"]).execute();
      await index("alarm_acts_alarm", "alarm_acts", ["tenant_uid", "alarm_id"]).execute();
      await db.schema
        .createTable("alarm_notices")
        .addColumn("id", "integer", numbered)
        .addColumn("tenant_uid", "text", required)
        .addColumn("target", "text", required)
        .addColumn("body", "text", required)
        .addColumn("attempts", "integer", required)
        .addColumn("due_at", "bigint", required)
        .addColumn("created_at", "bigint", required)
        .execute();
      await index("alarm_notices_due", "alarm_notices", ["due_at"]).execute();
    },
  };
}

/** What was done to one device is asked for with its alarms; a tenant has many lines of others. */
const auditOfResource: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex("audit_resource").on("audit").columns(["tenant_uid", "uid", "id"]).execute();
  },
};

/** A code and key tell the system's own alarms apart; alarms of rules have a rule and a name besides, and stand together. */
const alarmsSideBySide: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.dropIndex("alarms_raised").execute();
    await db.schema
      .createIndex("alarms_raised")
      .on("alarms")
      .columns(["tenant_uid", "node_uid", "code", "key"])
      .unique()
      .where(sql<boolean>`cleared_at is null and rule_uid is null`)
      .execute();
  },
};
