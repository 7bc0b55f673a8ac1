"""Hypothesis strategies for the schemas of ``docs/openapi.yaml``.

Only the keywords in these schemas are supported; others fail. (hypothesis-jsonschema, a general
library for this, relies on internals of hypothesis that no longer exist.)
"""

from hypothesis import strategies as st

IGNORED = {"description", "default", "examples"}

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Any JSON value."""


def values_for(schema: dict) -> st.SearchStrategy:
    """Values that match a schema without ``$ref``."""
    rules = {name: value for name, value in schema.items() if name not in IGNORED}
    kind = rules.pop("type")
    strategy = {"object": _object, "array": _array, "integer": _integer, "string": _string}[kind](
        rules
    )
    assert not rules, f"unsupported keywords: {rules}"
    return strategy


def _object(rules):
    required = rules.pop("required", [])
    members = {name: values_for(one) for name, one in rules.pop("properties").items()}
    assert rules.pop("additionalProperties") is False
    return st.fixed_dictionaries(
        {name: members[name] for name in required},
        optional={name: one for name, one in members.items() if name not in required},
    )


def _array(rules):
    min_size, max_size = rules.pop("minItems", 0), rules.pop("maxItems", 5)
    items = values_for(rules.pop("items"))
    return st.lists(items, min_size=min_size, max_size=min(max_size, 20))


def _integer(rules):
    return st.integers(rules.pop("minimum", None), rules.pop("maximum", None))


def _string(rules):
    if rules.pop("format", None) == "email":
        return st.emails()
    text = st.text(min_size=rules.pop("minLength", 0))
    if rules.pop("pattern", None):
        # The only pattern requires a character other than a space.
        text = text.filter(str.strip)
    return text
