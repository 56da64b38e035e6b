"""What a principal may do and read, by its roles and its granted scopes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import semp
from semp.domain.errors import Forbidden
from semp.domain.event_types import EVENT_TYPES
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.access import OPEN, SERVICE, Principal, Role, may, may_append, reads_everything, require, visible
from semp.engine.environment import Environment
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft

UI = (Glob.parse("ui.**"),)
JUDGING = {"reward", "penalty"}


def with_role(*roles: Role, read: tuple[Glob, ...] = UI, write: tuple[Glob, ...] = UI, agent_id: str | None = None) -> Principal:
    return Principal(id="p", kind="key", roles=frozenset(roles), read=read, write=write, agent_id=agent_id)


@pytest.mark.parametrize(
    ("role", "types", "reads", "links", "maintains"),
    [
        ("reader", set[str](), True, False, False),
        ("agent", set(EVENT_TYPES) - JUDGING, True, True, False),
        ("supervisor", set(EVENT_TYPES), True, True, False),
        ("admin", set(EVENT_TYPES), True, True, True),
    ],
)
def test_a_role_allows_exactly_its_verbs(role: Role, types: set[str], reads: bool, links: bool, maintains: bool) -> None:
    principal = with_role(role)
    assert {name for name in EVENT_TYPES if may(principal, name, "ui.a")} == types
    assert (may(principal, "read", "ui.a"), may(principal, "link"), may(principal, "maintain")) == (reads, links, maintains)


def test_a_principal_without_roles_may_do_nothing() -> None:
    nobody = with_role(read=(Glob.parse("**"),), write=(Glob.parse("**"),))
    assert not any(may(nobody, verb) for verb in (*EVENT_TYPES, "read", "link", "maintain"))
    assert not visible(nobody, "ui.a")


def test_grants_for_reading_and_writing_are_separate() -> None:
    principal = with_role("supervisor", read=(Glob.parse("a.*"), Glob.parse("b")), write=(Glob.parse("c.**"),))
    assert [visible(principal, scope) for scope in ("a.x", "b", "a", "a.x.y", "c.x")] == [True, True, False, False, False]
    assert [may(principal, "reward", scope) for scope in ("c.x", "c.x.y", "c", "a.x")] == [True, True, False, False]
    assert not visible(with_role("admin", read=()), "a")


def test_a_principal_bound_to_an_agent_may_not_append_as_another() -> None:
    principal = with_role("agent", agent_id="ann")
    assert may_append(principal, new_draft(scope="ui.a", agent="ann"))
    assert not may_append(principal, new_draft(scope="ui.a", agent="bob"))
    assert not may_append(principal, new_draft(scope="other", agent="ann"))


def test_the_open_principal_and_the_service_may_do_everything() -> None:
    for principal in (OPEN, SERVICE):
        assert principal.unrestricted
        assert reads_everything(principal)
        assert all(may(principal, verb, "any.scope") for verb in (*EVENT_TYPES, "read", "link", "maintain"))
    assert not with_role("admin").unrestricted
    assert not reads_everything(with_role("reader"))


def test_a_refusal_names_the_principal_and_the_verb() -> None:
    require(SERVICE, "maintain")
    with pytest.raises(Forbidden, match="p may not maintain"):
        require(with_role("supervisor"), "maintain")


async def test_the_gate_appends_the_whole_batch_or_nothing() -> None:
    environment = Environment(MemoryStore(), Rules())
    await environment.start()
    agent = environment.acting(with_role("agent", agent_id="ann"))
    try:
        await agent.append([new_draft(scope="ui.a", agent="ann")])
        for refused in (
            new_draft("reward", "ui.a", agent="ann"), new_draft(scope="ui.a", agent="bob"), new_draft(scope="api", agent="ann"),
        ):  # fmt: skip
            with pytest.raises(Forbidden) as error:
                await agent.append([new_draft(scope="ui.a", agent="ann"), refused], batch=True)
            assert error.value.fields[0].field.startswith("[1].")
        assert agent.state.head == 1
        with pytest.raises(Forbidden):
            await agent.ask("x", {})
        with pytest.raises(Forbidden):
            await agent.sweep()
    finally:
        await environment.halt()


PAST_THE_GATE = ("semp.storage", "semp.engine.ports", "semp.engine.ledger", "semp.engine.committer", "semp.engine.live.hub")
HARMLESS = {"End", "Span"}
"""Names of the hub that a transport needs: `Span` to render, and `End` for why a subscription ended."""


def bypasses(source: str) -> list[str]:
    """Lines that bypass the gate: they use another attribute of the environment than `acting`, or import a part of the environment."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id if isinstance(node.value, ast.Name) else ""
            if (owner.lstrip("_") == "environment" and node.attr != "acting") or (node.attr == "_environment" and owner != "self"):
                found.append(f"line {node.lineno}: {owner}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PAST_THE_GATE):
            if names := {name.name for name in node.names} - HARMLESS:
                found.append(f"line {node.lineno}: from {node.module} import {', '.join(sorted(names))}")
        elif isinstance(node, ast.Import):
            found += [f"line {node.lineno}: import {name.name}" for name in node.names if name.name.startswith(PAST_THE_GATE)]
    return found


def test_the_api_and_mcp_reach_the_log_only_through_the_gate() -> None:
    root = Path(semp.__file__).parent
    modules = [*root.glob("api/**/*.py"), *root.glob("mcp/**/*.py")]
    assert len(modules) > 30
    found = {str(path.relative_to(root)): lines for path in modules if (lines := bypasses(path.read_text("utf-8")))}
    assert not found, f"ask environment.acting(principal): {found}"


def test_the_check_finds_code_that_bypasses_the_gate() -> None:
    assert bypasses("async def f(environment): return await environment.storage.page(x)")
    assert bypasses("class A:\n  def f(self): return self._environment.ledger.state")
    assert bypasses("def f(environment): environment.growth.add(print)")
    assert bypasses("def f(gate): return gate._environment")
    assert bypasses("from semp.storage.memory.store import MemoryStore")
    assert bypasses("import semp.engine.ledger")
    assert not bypasses("async def f(environment): return await environment.acting(p).page(x)")
