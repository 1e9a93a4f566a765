"""Silencing a finding in the revision itself: ``# sg-migrate: allow SGM102 -- why``."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sg_migrate.review.findings import Finding
from sg_migrate.text import clean

_COMMENT = re.compile(r"#\s*sg-migrate:\s*allow\b(?P<rest>.*)")
_CODES = re.compile(r"(?:SGM\d{3}[\s,]*)+")


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment that allows findings of some rules.

    ``lines`` is where it counts: the statement that follows or holds it, or without one the whole revision.
    """

    codes: tuple[str, ...]
    reason: str
    line: int
    lines: range | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding; one without a reason is about none."""
        if finding.rule.code not in self.codes or not self.reason:
            return False
        return self.lines is None or finding.line is None or finding.line in self.lines


def read_allowances(source: str) -> list[Allowance]:
    """The allowances in a revision's text; comments only, never what stands in a string."""
    if "sg-migrate:" not in source:  # reading the comments of a large revision takes longer than judging it
        return []
    tree = ast.parse(source)
    found = []
    for line, comment in _comments(source):
        match = _COMMENT.match(comment)
        if match is None:
            continue
        codes, _, reason = match["rest"].partition("--")
        named = tuple(re.findall(r"SGM\d{3}", codes)) if _CODES.fullmatch(codes.strip()) else ()
        found.append(Allowance(named, clean(reason), line, _statement(line, tree)))
    return found


def silenced(findings: Iterable[Finding], allowances: Iterable[Allowance]) -> Iterator[Finding]:
    """The findings, each with the reason of the first allowance that covers it."""
    allowances = list(allowances)
    for finding in findings:
        reason = next((allowance.reason for allowance in allowances if allowance.covers(finding)), None)
        yield replace(finding, allowed=reason)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _statement(line: int, tree: ast.Module) -> range | None:
    """The lines of the statement that holds the line, or of the one after it; ``None`` outside of functions."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    function = next((node for node in functions if line in _lines(node)), None)
    if function is None:
        return None
    inner = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]
    holding = [_lines(node) for node in inner if line in _lines(node) and not hasattr(node, "body")]
    following = [_lines(node) for node in inner if node.lineno > line]
    return next(iter(holding), None) or min(following, key=lambda lines: (lines.start, -len(lines)), default=None)


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
