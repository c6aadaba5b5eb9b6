"""All cases, by subject. Add one to the file of its subject."""

from __future__ import annotations

import cases_agent
import cases_boot
import cases_down
import cases_helper
import cases_pid1
import cases_recipes
from case import Case

CASES: tuple[Case, ...] = (*cases_boot.CASES, *cases_down.CASES, *cases_agent.CASES, *cases_pid1.CASES,
                           *cases_helper.CASES, *cases_recipes.CASES)


def by_name(name: str) -> Case:
    for case in CASES:
        if case.name == name:
            return case
    raise KeyError(name)
