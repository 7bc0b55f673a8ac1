"""Values made up from the schemas of ``docs/openapi.yaml``, with hypothesis.

Only what those schemas use is understood, and anything else is refused loudly. (A general library
for this, hypothesis-jsonschema, leans on insides of hypothesis that have changed since.)
"""

from hypothesis import strategies as st

MEANINGLESS = {"description", "default", "examples"}

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Any JSON."""


def made_up(schema: dict) -> st.SearchStrategy:
    """Values that fit a schema, which must be without ``$ref``."""
    rules = {name: value for name, value in schema.items() if name not in MEANINGLESS}
    kind = rules.pop("type")
    strategy = {"object": _object, "array": _array, "integer": _integer, "string": _string}[kind](
        rules
    )
    assert not rules, f"no values can be made up for {rules}"
    return strategy


def _object(rules):
    required = rules.pop("required", [])
    members = {name: made_up(one) for name, one in rules.pop("properties").items()}
    assert rules.pop("additionalProperties") is False
    return st.fixed_dictionaries(
        {name: members[name] for name in required},
        optional={name: one for name, one in members.items() if name not in required},
    )


def _array(rules):
    least, most = rules.pop("minItems", 0), rules.pop("maxItems", 5)
    return st.lists(made_up(rules.pop("items")), min_size=least, max_size=min(most, 20))


def _integer(rules):
    return st.integers(rules.pop("minimum", None), rules.pop("maximum", None))


def _string(rules):
    if rules.pop("format", None) == "email":
        return st.emails()
    text = st.text(min_size=rules.pop("minLength", 0))
    if rules.pop("pattern", None):
        # The one pattern there is for texts: something other than blanks.
        text = text.filter(str.strip)
    return text
