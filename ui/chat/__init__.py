"""The Chainlit chat at `/chat`: a thin, fenced adapter over the conversation service.

Chainlit is pinned and archived, so nothing here is the home of a truth: threads, proposals and the
audit live in our own tables, and the cockpit's Copilot page speaks to the same service. Importing
this package, and calling `mount_chat`, import nothing of Chainlit.
"""

from smart_reach.ui.chat.mount import ChatDoor, mount_chat
from smart_reach.ui.chat.protocol import (
    ApprovalQueue,
    ConversationServiceProtocol,
    ProposalReader,
    ThreadRenamer,
)

__all__ = [
    "ApprovalQueue",
    "ChatDoor",
    "ConversationServiceProtocol",
    "ProposalReader",
    "ThreadRenamer",
    "mount_chat",
]
