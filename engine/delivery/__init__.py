"""From an approved campaign to messages: outbox, last checks, dispatch, connectors, events for the lake."""
