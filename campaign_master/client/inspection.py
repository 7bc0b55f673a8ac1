"""Compares one answer with the contract, member by member.

The answer is read by the same functions of ``wire.py`` as always, with an :class:`Inspection` in
place of :class:`~.wire.Members`. It reads on after what differs, so that everything is found, and
notes what the client only tolerates. Names, types and what may be missing are therefore written in
``wire.py`` alone.
"""

import re
from contextlib import suppress

from . import wire
from .shape import shape_name, shape_text

TEXT, NUMBER, ID, FLAG, TIME, LIST = "text", "number", "id", "true or false", "time", "list"
# What is read in place of something that cannot be read.
_BLANKS = {TEXT: "", NUMBER: 0, ID: "0", FLAG: False, TIME: None, LIST: []}
_WORDS = {*wire.CAMPAIGN_STATUSES, *wire.RESULT_STATUSES}
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.ASCII)
_ABSENT = object()
MAX_UNLISTED = 30

# How a member is, from what counts least: if one of several rows has it, it is not missing.
MISSING, FINE, TOLERATED, DIFFERS = "missing", "fine", "tolerated", "differs"
_ORDER = (MISSING, FINE, TOLERATED, DIFFERS)


class Inspection(wire.Members):
    """One JSON object of an answer, compared with what is read of it.

    :ivar dict notes: for each member that was read (``items[].name``): ``expected`` type,
        ``required``, ``state`` (one of :data:`_ORDER`) and, in words, what was ``found``
    :ivar dict unzoned: texts of times without a zone, by member
    :raise UnusableError: it is not an object
    """

    def __init__(self, data, where="", answered_at=None, whole=None):
        super().__init__(data, where, answered_at)
        whole = whole or self
        if whole is self:
            self.notes, self.unzoned, self._parts = {}, {}, []
        self._whole = whole
        whole._parts.append(self)
        self._read_names = set()
        self._problem = ""

    # === READING === #

    def text(self, name, *args, **options):
        return self._inspect(super().text, TEXT, name, *args, **options)

    def flag(self, name, **options):
        return self._inspect(super().flag, FLAG, name, **options)

    def count(self, name, **options):
        return self._inspect(super().count, NUMBER, name, **options)

    def ref(self, name, **options):
        return self._inspect(super().ref, ID, name, **options)

    def time(self, name):
        return self._inspect(super().time, TIME, name)

    def items(self, name):
        return self._inspect(super().items, LIST, name)

    def objects(self, name):
        where, found = f"{self._where}{name}[]", []
        for item in self.items(name):
            if isinstance(item, dict):
                found.append(Inspection(item, f"{where}.", whole=self._whole))
            else:
                self._note(where, "object", DIFFERS, describe(item))
        return found

    def unusable(self, name, problem):
        self._problem = problem
        return super().unusable(name, problem)

    # === NOTES === #

    def _inspect(self, read, expected, name, *args, **options):
        """Read a member, and note how it is.

        :param read: the method that reads it
        """
        spelled = name if name in self._data else self._other_spelling(name)
        value = self._data.get(spelled, _ABSENT)
        self._read_names.add(spelled)
        required = expected == LIST or (expected != TIME and "default" not in options)
        member = f"{self._where}{name}"
        self._note(member, expected, MISSING, "missing", required)
        try:
            result = read(name, *args, **options)
        except wire.UnusableError:
            found = describe(value)
            if value is not _ABSENT:
                found += f", which {self._problem}"
            self._note(member, expected, DIFFERS, found, required)
            return options.get("default", _BLANKS[expected])
        if value is _ABSENT:
            return result
        found = [] if spelled == name else ["in another letter case"]
        if value is not None:
            found += self._tolerated(member, expected, value, result, wire.MAX_WORD in args)
        self._note(member, expected, TOLERATED if found else FINE, ", ".join(found), required)
        return result

    def _other_spelling(self, name):
        return next((other for other in self._data if other.lower() == name.lower()), None)

    def _tolerated(self, member, expected, value, result, is_word):
        """:return: what is not as in the contract although the client understands it"""
        if (expected == NUMBER and type(value) is not int) or type(value) is float:
            return [describe(value)]
        if is_word and value not in _WORDS:
            return [f"an unknown word, {describe(value)}"]
        if expected == TIME and not has_zone(value):
            self._whole.unzoned[member] = value
            return ["without a zone" if result else "the year 0001"]
        return []

    def _note(self, member, expected, state, found, required=False):
        notes = self._whole.notes
        known = notes.get(member)
        if known and _ORDER.index(known["state"]) >= _ORDER.index(state):
            return
        notes[member] = {
            "expected": expected,
            "required": required,
            "state": state,
            "found": found,
        }

    # === AFTERWARDS === #

    def deviations(self, *states):
        """:return: the notes with one of these states
        :rtype: dict"""
        return {member: note for member, note in self.notes.items() if note["state"] in states}

    def unlisted(self) -> dict:
        """:return: what members are there that were not read: the value of each, by name (a name
        that does not look like one is reduced to its shape)"""
        found = {}
        for part in self._parts:
            for name, value in part._data.items():
                if name not in part._read_names:
                    found.setdefault(f"{part._where}{shape_name(name)}", value)
        return dict([*found.items()][:MAX_UNLISTED])


def contract(read) -> dict:
    """The members that a reader reads, as in :attr:`Inspection.notes`.

    :param read: a function of ``wire.py`` that reads an answer
    """
    inspection = _Empty({})
    with suppress(wire.UnusableError):  # what it requires of values
        read(inspection)
    return inspection.notes


class _Empty(Inspection):
    """An answer without members, whose lists have one item without members."""

    def items(self, name):
        super().items(name)
        return [{}]


def has_zone(text: str) -> bool:
    return bool(_ZONE.search(text))


def describe(value) -> str:
    """A value in words, without anybody's data."""
    if value is _ABSENT:
        return "missing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, str):
        return f"text “{shape_text(value)}”"
    if isinstance(value, int):
        return "whole number"
    if isinstance(value, float):
        return "number with a fraction"
    return "list" if isinstance(value, list) else "object"
