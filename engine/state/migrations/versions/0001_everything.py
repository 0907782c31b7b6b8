"""The first schema: catalog, decisions, delivery, demo, governance, learning, models, threads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import smart_reach.engine.state.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("decision_numbers")))
    op.create_table(
        "contact_reservations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('reserved', 'committed', 'released')", name=op.f("ck_contact_reservations_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_reservations")),
        sa.UniqueConstraint("subject", name=op.f("uq_contact_reservations_subject")),
    )
    op.create_index("ix_contact_reservations_at", "contact_reservations", ["at"], unique=False)
    op.create_index(
        "ix_contact_reservations_customer", "contact_reservations", ["customer_id", "at"], unique=False
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("holdout", sa.Boolean(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("window", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_customer", "decisions", ["customer_id", "at"], unique=False)
    op.create_table(
        "demo_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_clock")),
    )
    op.create_table(
        "demo_cursor",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_demo_cursor")),
    )
    op.create_table(
        "demo_pending",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("due_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_demo_pending")),
    )
    op.create_index("ix_demo_pending_customer", "demo_pending", ["customer_id", "kind"], unique=False)
    op.create_index("ix_demo_pending_due", "demo_pending", ["done", "due_at"], unique=False)
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("arms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("control", sa.String(), nullable=False),
        sa.Column("previous_control", sa.String(), nullable=True),
        sa.Column("winner", sa.String(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("min_days", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("promotion_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("campaign_id", name=op.f("uq_experiments_campaign_id")),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_subject", "ledger", ["subject", "seq"], unique=False)
    op.create_table(
        "ledger_anchors",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_ledger_anchors")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "loopback_messages",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("receipt_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("variant_id", sa.String(), nullable=False),
        sa.Column("tone", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("cta", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("accepted_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_loopback_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_loopback_messages_message_id")),
    )
    op.create_index(
        "ix_loopback_messages_campaign", "loopback_messages", ["campaign_id", "seq"], unique=False
    )
    op.create_table(
        "model_versions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("trained_until", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("data_hash", sa.String(), nullable=False),
        sa.Column("file_hash", sa.String(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mlflow_ref", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("model", "version", name="uq_model_versions_model"),
    )
    op.create_index("ix_model_versions_serving", "model_versions", ["offer_id", "status"], unique=False)
    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("margin_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("eligibility", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("holdout", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("not_before", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.String(), nullable=True),
        sa.Column("claim_until", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("variant_id", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("reservation_id", sa.Integer(), nullable=True),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("receipt_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("deferrals", sa.Integer(), nullable=False),
        sa.Column("sent_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("campaign_id", "customer_id", name="uq_outbox_campaign_id"),
    )
    op.create_index("ix_outbox_due", "outbox", ["status", "not_before"], unique=False)
    op.create_table(
        "pending_events",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_pending_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_pending_events_event_id")),
    )
    op.create_index("ix_pending_events_open", "pending_events", ["written", "seq"], unique=False)
    op.create_table(
        "proposal_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_proposal_counter_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_counter")),
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.String(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("deadline", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=True),
        sa.Column("interrupt_id", sa.String(), nullable=True),
        sa.Column("dedup_key", sa.String(), nullable=True),
        sa.Column("decided_by_id", sa.String(), nullable=True),
        sa.Column("decided_by_name", sa.String(), nullable=True),
        sa.Column("decided_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_proposals_dedup_key")),
    )
    op.create_index("ix_proposals_status", "proposals", ["status", "created_at"], unique=False)
    op.create_index(op.f("ix_proposals_thread_id"), "proposals", ["thread_id"], unique=False)
    op.create_table(
        "segment_decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("segment_id", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("window", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("audience", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_decisions")),
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    op.create_index("ix_threads_owner", "threads", ["user_id", "updated_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sessions_end", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "workspace_info",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_workspace_info")),
    )
    op.create_table(
        "assignments",
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("randomised", sa.Boolean(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_assignments_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "unit", name=op.f("pk_assignments")),
    )
    op.create_index("ix_assignments_arm", "assignments", ["experiment_id", "arm"], unique=False)
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_campaigns_offer_id_offers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("proposal_id", name="uq_campaigns_proposal_id"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("changed_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_consents_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_key", "consents", ["customer_id", "channel", "purpose", "id"], unique=False)
    op.create_table(
        "experiment_looks",
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("information", sa.Double(), nullable=False),
        sa.Column("arms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("best", sa.String(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.Column("bound", sa.Double(), nullable=True),
        sa.Column("srm_p", sa.Double(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_experiment_looks_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "number", name=op.f("pk_experiment_looks")),
    )
    op.create_table(
        "proposal_versions",
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_versions_proposal_id_proposals")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "version", name=op.f("pk_proposal_versions")),
    )
    op.create_table(
        "terms",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("qualifier", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("valid_from", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("valid_to", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_terms_offer_id_offers")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_terms")),
    )
    op.create_index("ix_terms_offer", "terms", ["offer_id"], unique=False)
    op.create_table(
        "thread_messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["threads.id"],
            name=op.f("fk_thread_messages_thread_id_threads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_messages")),
        sa.UniqueConstraint("number", name=op.f("uq_thread_messages_number")),
    )
    op.create_index("ix_thread_messages_thread", "thread_messages", ["thread_id", "number"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_thread_messages_thread", table_name="thread_messages")
    op.drop_table("thread_messages")
    op.drop_index("ix_terms_offer", table_name="terms")
    op.drop_table("terms")
    op.drop_table("proposal_versions")
    op.drop_table("experiment_looks")
    op.drop_index("ix_consents_key", table_name="consents")
    op.drop_table("consents")
    op.drop_table("campaigns")
    op.drop_index("ix_assignments_arm", table_name="assignments")
    op.drop_table("assignments")
    op.drop_table("workspace_info")
    op.drop_table("users")
    op.drop_index("ix_threads_owner", table_name="threads")
    op.drop_table("threads")
    op.drop_table("segment_decisions")
    op.drop_index(op.f("ix_proposals_thread_id"), table_name="proposals")
    op.drop_index("ix_proposals_status", table_name="proposals")
    op.drop_table("proposals")
    op.drop_table("proposal_counter")
    op.drop_index("ix_pending_events_open", table_name="pending_events")
    op.drop_table("pending_events")
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("offers")
    op.drop_index("ix_model_versions_serving", table_name="model_versions")
    op.drop_table("model_versions")
    op.drop_index("ix_loopback_messages_campaign", table_name="loopback_messages")
    op.drop_table("loopback_messages")
    op.drop_table("ledger_head")
    op.drop_table("ledger_anchors")
    op.drop_index("ix_ledger_subject", table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("experiments")
    op.drop_index("ix_demo_pending_due", table_name="demo_pending")
    op.drop_index("ix_demo_pending_customer", table_name="demo_pending")
    op.drop_table("demo_pending")
    op.drop_table("demo_cursor")
    op.drop_table("demo_clock")
    op.drop_index("ix_decisions_customer", table_name="decisions")
    op.drop_table("decisions")
    op.drop_table("customers")
    op.drop_index("ix_contact_reservations_customer", table_name="contact_reservations")
    op.drop_index("ix_contact_reservations_at", table_name="contact_reservations")
    op.drop_table("contact_reservations")
    op.execute(sa.schema.DropSequence(sa.Sequence("decision_numbers")))
