"""Chainlit's data layer over the conversation service: it reads, and leaves the writing to the service.

Chainlit stores each step in a task nobody awaits, and lost some of them under load. Here the service
has written everything before its event is shown, so those calls have nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smart_reach.engine.errors import Forbidden, NotFound, Retryable, Unanswerable
from smart_reach.ui.chat.protocol import Json, is_uuid, thread_uuid

if TYPE_CHECKING:
    from smart_reach.ui.chat.bridge import Bridge


def make_data_layer(bridge: Bridge) -> Any:
    """A data layer bound to `bridge`; imports Chainlit."""
    from chainlit.data.base import BaseDataLayer
    from chainlit.types import PageInfo, PaginatedResponse
    from chainlit.user import PersistedUser

    class ServiceDataLayer(BaseDataLayer):  # type: ignore[misc]  # Chainlit has no types we check
        """Threads come from the service; a user sees only their own."""

        async def get_user(self, identifier: str) -> Any:
            user = await bridge.user()
            return persisted(user, PersistedUser) if user.id == identifier else None

        async def create_user(self, user: Any) -> Any:
            return persisted(await bridge.user(), PersistedUser)

        async def list_threads(self, pagination: Any, filters: Any) -> Any:
            items = await bridge.headings(search=filters.search)
            page, more = cut(items, pagination.first, pagination.cursor)
            last = page[-1]["id"] if page else None
            return PaginatedResponse(PageInfo(more, page[0]["id"] if page else None, last), page)

        async def get_thread(self, thread_id: str) -> Json | None:
            if not is_uuid(thread_id):
                return None
            try:
                return await bridge.rendered_thread(thread_id)
            except (NotFound, Forbidden):
                return None

        async def get_thread_author(self, thread_id: str) -> str:
            return "" if await self.get_thread(thread_id) is None else (await bridge.user()).id

        async def update_thread(
            self,
            thread_id: str,
            name: str | None = None,
            user_id: str | None = None,
            metadata: dict[str, Any] | None = None,
            tags: list[str] | None = None,
        ) -> None:
            if name is None:
                return
            if user_id is None:  # a person renames; Chainlit's own first write carries the user
                await bridge.rename(thread_uuid(thread_id), name)
            else:
                await bridge.ensure_thread(thread_uuid(thread_id), name)

        async def delete_thread(self, thread_id: str) -> None:
            await bridge.delete_thread(thread_uuid(thread_id))

        async def upsert_feedback(self, feedback: Any) -> str:
            await bridge.feedback(feedback.forId, 1 if feedback.value == 1 else -1, feedback.comment)
            return str(feedback.forId)

        async def delete_feedback(self, feedback_id: str) -> bool:
            raise Unanswerable("A rating can be changed but not taken back.")

        async def create_step(self, step_dict: Any) -> None:
            """The service has it."""

        async def update_step(self, step_dict: Any) -> None:
            """The service has it."""

        async def delete_step(self, step_id: str) -> None:
            """Steps are history and stay."""

        async def create_element(self, element: Any) -> None:
            """Elements are made from messages when shown."""

        async def get_element(self, thread_id: str, element_id: str) -> None:
            """Elements are made from messages when shown."""

        async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
            """Elements are made from messages when shown."""

        async def get_favorite_steps(self, user_id: str) -> list[Any]:
            return []

        async def build_debug_url(self) -> str:
            return ""

        async def close(self) -> None:
            """Nothing is held."""

    return ServiceDataLayer()


def persisted(user: Any, factory: Any) -> Any:
    """Our user as Chainlit's; its identifier is our id, and the role is the one read just now."""
    return factory(
        id=user.id,
        createdAt="1970-01-01T00:00:00Z",
        identifier=user.id,
        display_name=f"{user.name} · {user.role}",
        metadata={"role": user.role},
    )


def cut(items: list[Json], first: int, cursor: str | None) -> tuple[list[Json], bool]:
    """One page after `cursor` and whether more follow. Raises Retryable for an unknown cursor."""
    start = 0
    if cursor is not None:
        places: Mapping[str, int] = {item["id"]: place for place, item in enumerate(items)}
        if cursor not in places:
            raise Retryable("The list of conversations has changed.", hint="Reload the page.")
        start = places[cursor] + 1
    size = max(1, min(first, 100))
    return items[start : start + size], len(items) > start + size
