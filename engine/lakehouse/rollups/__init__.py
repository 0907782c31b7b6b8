"""Aggregates kept beside the events; each equals the raw answer.

`refresh(lake)` brings them up to date: after commits, at intervals, after a build. A reader uses them only
when every file they were made of is in its snapshot, and adds the files that came since; so a figure never
depends on whether they are fresh, only its speed does.
"""

from smart_reach.engine.lakehouse.rollups.building import Refreshed, clear, refresh

__all__ = ["Refreshed", "clear", "refresh"]
