"""Sources, dead letters and the inbox; identity and holdings; person keys and erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import smart_reach.engine.state.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_records",
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_consent_records")),
    )
    op.create_index("ix_consent_records_consent", "consent_records", ["consent_id"], unique=False)
    op.create_index(op.f("ix_consent_records_customer_id"), "consent_records", ["customer_id"], unique=False)
    op.create_table(
        "customer_aliases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.Column("conflict_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_aliases")),
    )
    op.create_index("ix_customer_aliases_into", "customer_aliases", ["into_id"], unique=False)
    op.create_index(
        "uq_customer_aliases_active",
        "customer_aliases",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "customer_profiles",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("versions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_profiles")),
    )
    op.create_index(
        op.f("ix_customer_profiles_updated_at"), "customer_profiles", ["updated_at"], unique=False
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("received_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("contract", sa.String(), nullable=True),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_tried_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("mapping", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("source", "partition", "position", name="uq_dead_letters_place"),
    )
    op.create_index(op.f("ix_dead_letters_customer_id"), "dead_letters", ["customer_id"], unique=False)
    op.create_index("ix_dead_letters_status", "dead_letters", ["status", "id"], unique=False)
    op.create_table(
        "erased_customers",
        sa.Column("person_hash", sa.String(), nullable=False),
        sa.Column("at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_hash", name=op.f("pk_erased_customers")),
    )
    op.create_table(
        "erasures",
        sa.Column("person_hash", sa.String(), nullable=False),
        sa.Column("receipt_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("begun_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("person_hash", name=op.f("pk_erasures")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_erasures_receipt_id")),
    )
    op.create_table(
        "event_inbox",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("received_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_inbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_event_inbox_idempotency_key")),
    )
    op.create_table(
        "holdings",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("changed_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "product", name=op.f("pk_holdings")),
    )
    op.create_table(
        "identity_conflicts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("first_id", sa.String(), nullable=False),
        sa.Column("second_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kept_id", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_identity_conflicts_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_conflicts")),
        sa.UniqueConstraint("first_id", "second_id", name="uq_identity_conflicts_pair"),
    )
    op.create_index("ix_identity_conflicts_second", "identity_conflicts", ["second_id"], unique=False)
    op.create_index("ix_identity_conflicts_status", "identity_conflicts", ["status", "id"], unique=False)
    op.create_table(
        "identity_keys",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("home_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_identity_keys")),
    )
    op.create_index("ix_identity_keys_customer", "identity_keys", ["customer_id"], unique=False)
    op.create_index("ix_identity_keys_home", "identity_keys", ["home_id"], unique=False)
    op.create_table(
        "person_keys",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_person_keys")),
        sa.UniqueConstraint("person", name=op.f("uq_person_keys_person")),
    )
    op.create_table(
        "sealed_parts",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "person", name=op.f("pk_sealed_parts")),
    )
    op.create_index(op.f("ix_sealed_parts_person"), "sealed_parts", ["person"], unique=False)
    op.create_table(
        "sources",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("partitions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lag", sa.BigInteger(), nullable=True),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_commit_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("updated_at", smart_reach.engine.state.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sources")),
    )
    op.create_table(
        "undescribed_customers",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_undescribed_customers")),
    )


def downgrade() -> None:
    op.drop_table("undescribed_customers")
    op.drop_table("sources")
    op.drop_index(op.f("ix_sealed_parts_person"), table_name="sealed_parts")
    op.drop_table("sealed_parts")
    op.drop_table("person_keys")
    op.drop_index("ix_identity_keys_home", table_name="identity_keys")
    op.drop_index("ix_identity_keys_customer", table_name="identity_keys")
    op.drop_table("identity_keys")
    op.drop_index("ix_identity_conflicts_status", table_name="identity_conflicts")
    op.drop_index("ix_identity_conflicts_second", table_name="identity_conflicts")
    op.drop_table("identity_conflicts")
    op.drop_table("holdings")
    op.drop_table("event_inbox")
    op.drop_table("erasures")
    op.drop_table("erased_customers")
    op.drop_index("ix_dead_letters_status", table_name="dead_letters")
    op.drop_index(op.f("ix_dead_letters_customer_id"), table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(op.f("ix_customer_profiles_updated_at"), table_name="customer_profiles")
    op.drop_table("customer_profiles")
    op.drop_index(
        "uq_customer_aliases_active",
        table_name="customer_aliases",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_customer_aliases_into", table_name="customer_aliases")
    op.drop_table("customer_aliases")
    op.drop_index(op.f("ix_consent_records_customer_id"), table_name="consent_records")
    op.drop_index("ix_consent_records_consent", table_name="consent_records")
    op.drop_table("consent_records")
