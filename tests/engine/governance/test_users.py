"""Accounts, sign-in, roles."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput, NotFound
from smart_reach.engine.governance.roles import PERMISSIONS, Actor, allowed, require, system_actor
from smart_reach.engine.governance.tables import UserRow
from smart_reach.engine.governance.users import (
    DEMO_USERS,
    add_user,
    authenticate,
    close_demo_users,
    get_user,
    list_users,
    seed_demo_users,
    sessions_end,
    set_password,
    switch_user,
)
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace


def test_demo_users_sign_in_with_the_shown_password(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        first = seed_demo_users(session)
        again = seed_demo_users(session)
    assert first == again
    assert [user.role for user in first] == ["marketer", "manager", "manager", "evaluator", "admin"]
    with Session(workspace.db) as session:
        for demo in DEMO_USERS:
            user = authenticate(session, demo.email.upper(), demo.password)
            assert (user.name, user.role) == (demo.name, demo.role)
            assert get_user(session, user.id) == user
            hashed = session.get_one(UserRow, user.id).password_hash
            assert hashed.startswith("$argon2id$")
            assert demo.password not in hashed


def test_every_wrong_sign_in_gets_the_same_answer(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        user = add_user(session, name="A", email="a@b.example", role="manager", password="long enough")
        add_user(session, name="G", email="gone@b.example", role="manager", password="long enough")
        session.get_one(UserRow, "usr_gone@b.example").active = False
    messages = set()
    for email, password in [
        ("a@b.example", "wrong"),
        ("a@b.example", ""),
        ("nobody@b.example", "long enough"),
        ("gone@b.example", "long enough"),
    ]:
        with Session(workspace.db) as session, pytest.raises(Forbidden) as caught:
            authenticate(session, email, password)
        messages.add(caught.value.message)
    assert len(messages) == 1
    with Session(workspace.db) as session:
        assert get_user(session, "usr_gone@b.example") is None
        assert get_user(session, user.id) == user


@pytest.mark.parametrize(
    ("role", "password", "error"),
    [("system", "long enough", InvalidInput), ("king", "long enough", InvalidInput),
     ("admin", "short", InvalidInput)],
)  # fmt: skip
def test_bad_accounts_are_refused(
    workspace: Workspace, role: str, password: str, error: type[Exception]
) -> None:
    with Session(workspace.db) as session, pytest.raises(error):
        add_user(session, name="A", email="a@b.example", role=role, password=password)


def test_an_address_is_taken_once(workspace: Workspace) -> None:
    with Session(workspace.db) as session:
        add_user(session, name="A", email="a@b.example", role="admin", password="long enough")
        with pytest.raises(Conflict):
            add_user(session, name="B", email=" A@b.example", role="admin", password="long enough")


def test_only_managers_and_admins_approve() -> None:
    for role in ("marketer", "evaluator", "system"):
        with pytest.raises(Forbidden) as caught:
            require(Actor("u", "U", role), "proposal.approve")
        assert "manager" in caught.value.message
    for role in ("manager", "admin"):
        require(Actor("u", "U", role), "proposal.approve")


def test_the_system_may_propose_and_send_events_and_nothing_else() -> None:
    agent = system_actor("experimentation agent")
    assert agent.id == "system:experimentation-agent"
    assert {p for p in PERMISSIONS if allowed(agent, p)} == {"proposal.create", "events.write"}


def test_demo_users_are_shut_out_elsewhere(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        seed_demo_users(session)
        add_user(session, name="A", email="a@b.example", role="manager", password="long enough")
        assert close_demo_users(session) == len(DEMO_USERS)
        assert close_demo_users(session) == 0
    with Session(workspace.db) as session:
        assert [user.email for user, active in list_users(session) if active] == ["a@b.example"]
        for demo in DEMO_USERS:
            with pytest.raises(Forbidden):
                authenticate(session, demo.email, demo.password)


def test_an_account_gets_a_new_password_and_can_be_closed(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        add_user(session, name="A", email="a@b.example", role="manager", password="long enough")
        user = set_password(session, "A@b.example ", "another one")
        assert sessions_end(session, user.id) is not None
        authenticate(session, "a@b.example", "another one")
        with pytest.raises(Forbidden):
            authenticate(session, "a@b.example", "long enough")
        switch_user(session, "a@b.example", active=False)
        with pytest.raises(Forbidden):
            authenticate(session, "a@b.example", "another one")
        switch_user(session, "a@b.example", active=True)
        assert authenticate(session, "a@b.example", "another one") == user
        with pytest.raises(NotFound):
            set_password(session, "nobody@b.example", "long enough")
        with pytest.raises(InvalidInput):
            set_password(session, "a@b.example", "short")


@pytest.mark.parametrize("email", ["", "ana", "a b@c.example", "@b", "a@", "a@" + "b" * 300])
def test_an_account_needs_an_address(workspace: Workspace, email: str) -> None:
    with transaction(workspace.db) as session, pytest.raises(InvalidInput):
        add_user(session, name="A", email=email, role="manager", password="long enough")
