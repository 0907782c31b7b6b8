"""Every table with a column that names a person says what happens to its rows."""

from __future__ import annotations

from smart_reach.engine.privacy.declared import APART, DELETED, HANDLED, NOT_PEOPLE, PERSON_COLUMNS
from smart_reach.engine.state.tables import load_metadata


def test_every_column_that_names_a_person_is_declared() -> None:
    missing = [
        f"{table.name}.{column.name}"
        for table in load_metadata().tables.values()
        for column in table.columns
        if column.name in PERSON_COLUMNS
        and table.name not in HANDLED
        and table.name not in APART
        and column.name not in DELETED.get(table.name, ())
        and column.name not in NOT_PEOPLE.get(table.name, ())
    ]
    assert missing == [], "declare them in engine/privacy/declared.py"


def test_what_is_declared_is_there() -> None:
    tables = load_metadata().tables
    for name, columns in DELETED.items():
        assert set(columns) <= set(tables[name].columns.keys()), name
    derived = {"knowledge_passages", "alembic_version"}
    assert ({*HANDLED, *APART} - derived) <= set(tables)


def test_rows_go_before_what_they_point_to() -> None:
    order = list(DELETED)
    for table in load_metadata().tables.values():
        for key in table.foreign_keys:
            target = key.column.table.name
            if table.name in DELETED and target in DELETED:
                assert order.index(table.name) < order.index(target), (table.name, target)
            # a row that is deleted must not be pointed to by one that stays
            assert target not in DELETED or table.name in DELETED, table.name
