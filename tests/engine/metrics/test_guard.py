"""The guard lets every compiled query through and stops everything else."""

from __future__ import annotations

import pytest

from smart_reach.engine.errors import Forbidden
from smart_reach.engine.metrics.compile import compile_spec
from smart_reach.engine.metrics.guard import guard, guard_sql
from smart_reach.engine.metrics.model import load_model
from smart_reach.engine.metrics.spec import QuerySpec

ATTACKS = [
    "DROP TABLE events",
    "DELETE FROM events",
    "INSERT INTO events VALUES (1)",
    "UPDATE customers SET age = 1",
    "CREATE TABLE x AS SELECT 1",
    "COPY customers TO '/tmp/x.csv'",
    "ATTACH '/tmp/x.db'",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "CALL pragma_version()",
    "INSTALL httpfs",
    "EXPLAIN SELECT 1",
    "SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT COUNT(*) FROM messages AS m; DROP TABLE events",
    "SELECT * FROM messages AS m",
    "SELECT m.* FROM messages AS m",
    "SELECT m FROM messages AS m",
    "SELECT m.m FROM messages AS m",
    "SELECT COUNT(m) FROM messages AS m",
    "SELECT customer_id FROM messages AS m",
    "SELECT m.customer_id FROM messages AS m",
    "SELECT COUNT(*) FROM messages AS m GROUP BY m.customer_id",
    "SELECT MAX(m.customer_id) FROM messages AS m",
    "SELECT COUNT(*) FROM messages AS m WHERE m.customer_id = 'cus_000001'",
    "SELECT m.message_id FROM messages AS m",
    "SELECT COUNT(*) FROM messages AS m ORDER BY m.customer_id",
    "SELECT COUNT(*) FROM messages AS m, customers AS c",
    "SELECT COUNT(*) FROM messages AS m CROSS JOIN customers AS c",
    "SELECT COUNT(*) FROM messages AS m LEFT JOIN customers AS c ON TRUE",
    "SELECT COUNT(*) FROM messages AS m LEFT JOIN customers AS c ON m.customer_id <> c.customer_id",
    "SELECT COUNT(*) FROM messages AS m JOIN customers AS c ON m.customer_id = c.customer_id",
    "SELECT COUNT(*) FROM messages AS m LEFT JOIN events AS c ON m.customer_id = c.customer_id",
    "SELECT COUNT(*) FROM messages AS m LEFT JOIN customers AS c USING (customer_id)",
    "SELECT COUNT(*) FROM (SELECT * FROM messages) AS m",
    "SELECT (SELECT MAX(x.customer_id) FROM customers AS x) FROM messages AS m",
    "SELECT COUNT(*) FROM messages AS m WHERE m.channel IN (SELECT customer_id FROM customers)",
    "SELECT COUNT(*) FROM messages AS m WHERE EXISTS (SELECT 1 FROM customers)",
    "SELECT COUNT(*) FROM messages AS m UNION ALL SELECT 1",
    "SELECT COUNT(*) FROM messages AS m UNION SELECT c.customer_id FROM customers AS c",
    "WITH m AS (SELECT * FROM customers) SELECT COUNT(*) FROM messages AS m",
    "WITH latest AS (SELECT * FROM customers) SELECT COUNT(*) FROM customers AS c",
    "WITH RECURSIVE t AS (SELECT 1) SELECT COUNT(*) FROM messages AS m",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd') AS m",
    "SELECT COUNT(*) FROM '/etc/passwd' AS m",
    "SELECT COUNT(*) FROM information_schema.tables AS m",
    "SELECT COUNT(*) FROM main.messages AS m",
    "SELECT COUNT(*) FROM duckdb_settings() AS m",
    "SELECT GETENV('HOME') FROM messages AS m",
    "SELECT READ_TEXT('/etc/passwd') FROM messages AS m",
    "SELECT CURRENT_SETTING('threads') FROM messages AS m",
    "SELECT STRING_AGG(m.channel, ',') FROM messages AS m",
    "SELECT LIST(m.channel) FROM messages AS m",
    "SELECT ANY_VALUE(m.channel) FROM messages AS m",
    "SELECT UNNEST([1, 2]) FROM messages AS m",
    "SELECT COUNT(*) OVER (PARTITION BY m.channel) FROM messages AS m",
    "SELECT RANDOM() FROM messages AS m",
    "SELECT COUNT(*) FROM messages AS m QUALIFY 1 = 1",
    "SELECT COUNT(*) FROM messages AS m USING SAMPLE 1",
    "SELECT COUNT(*) FROM messages AS m, LATERAL (SELECT 1)",
    "SELECT m.amount FROM messages AS m",
    "SELECT c.age FROM messages AS m",
    "FROM messages",
    "VALUES (1)",
    "not sql at all",
    "",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_is_stopped(sql: str) -> None:
    with pytest.raises(Forbidden):
        guard_sql(sql, load_model("demo-bank"))


@pytest.mark.parametrize("kind", ["demo-bank", "bank-marketing"])
def test_every_metric_by_every_dimension_passes(kind: str) -> None:
    model = load_model(kind)
    for metric in model.metrics.values():
        for dimension in model.dimensions.values():
            if metric.source in dimension.columns and not dimension.filter_only:
                compiled = compile_spec(QuerySpec((metric.id,), (dimension.id,)), model)
                guard(compiled.tree, model)
                guard_sql(compiled.display_sql, model)


def test_a_declared_query_of_another_workspace_is_stopped() -> None:
    compiled = compile_spec(QuerySpec(("ctr",), ("channel",)), load_model("demo-bank"))
    with pytest.raises(Forbidden):
        guard(compiled.tree, load_model("bank-marketing"))
