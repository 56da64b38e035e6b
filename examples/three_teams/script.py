"""The scripted answers of the teams' models; all else in the example is real. A model returns the module's text with one change."""

from __future__ import annotations

Change = tuple[str, str]
"""The old text and the new text."""

KNOWS: dict[str, dict[str, Change]] = {
    "langgraph": {
        "money": ("int(part or 0)", "int(part.ljust(2, '0'))"),
        "tax": ("net * rate // 100", "round(net * rate / 100)"),
        "totals": (
            "    for line in lines:\n        found[line.rate] = found.get(line.rate, 0) + tax(line.net, line.rate)\n"
            "    return dict(sorted(found.items()))",
            "    for line in lines:\n        found[line.rate] = found.get(line.rate, 0) + line.net\n"
            "    return {rate: tax(cents, rate) for rate, cents in sorted(found.items())}",
        ),
    },
    "crewai": {
        "money": ("int(part or 0)", "int(part or 0) * 10"),
        "lines": (r"(\w+)", "(.+)"),
        "report": ("net(lines))", "net(lines) + sum(due.values()))"),
    },
    "autogen": {
        "tax": ("net * rate // 100", "(net * rate + 50) // 100"),
        "lines": (r"(\w+)", r"(\w*)"),
        "report": ("net(lines))", "sum(due.values()))"),
    },
}  # fmt: skip
"""By team and module, the change that the model makes. Some changes are wrong. The model does not change the other modules."""


def answer(team: str, module: str, source: str) -> str:
    """The model's answer: the source of the module with the change of this team."""
    before, after = KNOWS[team].get(module, ("", ""))
    return source.replace(before, after) if before else source
