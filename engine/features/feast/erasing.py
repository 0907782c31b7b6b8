"""Takes people out of a Feast repository: Feast itself can only forget whole views."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smart_reach.engine.errors import Stop
from smart_reach.engine.features.feast.export import KEY


def erase_offline(data: Path, customer_ids: Collection[str]) -> int:
    """Write the Parquet files again that hold one of these people; the rows that went."""
    gone, erased = pa.array(sorted(customer_ids), pa.string()), 0
    for path in sorted(data.glob("*.parquet")):
        rows = pq.read_table(path)
        left = rows.filter(pc.invert(pc.is_in(rows[KEY], gone)))
        if left.num_rows == rows.num_rows:
            continue
        erased += rows.num_rows - left.num_rows
        if not left.num_rows:
            path.unlink()
            continue
        pq.write_table(left, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)
    return erased


def erase_online(store: Any, view: str, customer_ids: Sequence[str]) -> None:
    """Delete these people's rows from the online store, whichever of the two we know it is.

    Raises `Stop` for another online store: there it is done by hand.
    """
    keys = [_entity_key(store, one) for one in customer_ids]
    kind = type(store._get_provider().online_store).__name__
    if kind == "SqliteOnlineStore":
        _sqlite(store, view, keys)
    elif kind == "RedisOnlineStore":
        _redis(store, keys)
    else:
        raise Stop(
            f"Nobody can be taken out of a Feast online store of the kind {kind} here.",
            hint="Delete the customer there, set FEATURE_STORE=local for this command, and repeat it.",
        )


def _entity_key(store: Any, customer_id: str) -> bytes:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=[KEY], entity_values=[Value(string_val=customer_id)])
    return bytes(serialize_entity_key(key, store.config.entity_key_serialization_version))


def _sqlite(store: Any, view: str, keys: Sequence[bytes]) -> None:
    from feast.infra.online_stores.sqlite import _table_id

    config = store.config
    path = store._get_provider().online_store._get_db_path(config)
    name = _table_id(
        config.project,
        store.get_feature_view(view),
        getattr(config.registry, "enable_online_feature_view_versioning", False),
    ).replace('"', '""')
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA secure_delete = ON")  # else the rows' bytes stay in the file
        with connection:
            connection.executemany(f'DELETE FROM "{name}" WHERE entity_key = ?', [(key,) for key in keys])


def _redis(store: Any, keys: Sequence[bytes]) -> None:
    config = store.config
    client = store._get_provider().online_store._get_client(config.online_store)
    for key in keys:
        client.delete(key + config.project.encode())
