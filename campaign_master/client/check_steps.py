"""Which calls *Check API* makes, in their order: first those that read, then those that write."""

from collections.abc import Callable
from dataclasses import dataclass

from . import wire
from .errors import CampaignMasterRefusedError

PAGE_SIZE = 5  # of the pages that are read
# What the check creates and uses in Campaign Master has this name.
NAME = "Odoo API check"


@dataclass(frozen=True)
class Target:
    """What is read and written. The defaults are for people.

    :ivar campaign_ref: a sent campaign, to be read
    :ivar reference: of the campaign that the check creates
    :ivar created_ref: that campaign
    :ivar list_ref: the list that the address is added to
    """

    campaign_ref: str = "ID"
    reference: str = "REFERENCE"
    created_ref: str = "ID"
    list_ref: str = "ID"
    template_ref: str = "ID"
    email: str = ""

    @property
    def draft(self) -> wire.CampaignDraft:
        return wire.CampaignDraft(
            name=NAME,
            description="Created by Odoo to check the API. It can be deleted.",
            subject=NAME,
            template_ref=self.template_ref,
        )


@dataclass(frozen=True, eq=False)
class Step:
    """One call of the check.

    :ivar build: the function of ``wire.py`` that makes the call
    :ivar arguments: of ``build``, from the target
    :ivar readers: the functions of ``wire.py`` that read the answer: the answer itself, then what
        is in its list
    :ivar purpose: what of the product depends on it
    :ivar read: makes the reader from the target
    :ivar needs: names what of the target it needs, and says why that may be missing
    :ivar unless: the same the other way round: it is not made if the target has this
    :ivar make: makes the call in another way, from client and target
    """

    build: Callable
    arguments: Callable
    readers: tuple
    purpose: str
    read: Callable
    needs: tuple = ()
    unless: tuple = ()
    make: Callable | None = None

    def call(self, target: Target) -> wire.Call:
        return self.build(*self.arguments(target))

    @property
    def kind(self) -> str:
        """Such as ``GET /campaigns/ID``."""
        return self.call(Target()).kind

    @property
    def grade(self) -> str:
        return self.call(Target()).grade

    def place(self, member: str = "") -> str:
        """The functions of ``wire.py`` where the call, or a member of its answer, is corrected."""
        if not member:
            functions = (self.build, *self.readers)
        else:
            functions = self.readers[-1:] if "[]." in member else self.readers[:-1] or self.readers
        return ", ".join(function.__name__ for function in functions)

    def why_not(self, target: Target) -> str:
        """Why the call cannot be made; empty if it can."""
        if self.needs and not getattr(target, self.needs[0]):
            return self.needs[1]
        if self.unless and getattr(target, self.unless[0]):
            return self.unless[1]
        return ""


def _catalog(build, read, purpose, make=None):
    return Step(
        build,
        lambda target: (1, PAGE_SIZE),
        (wire.read_page, read),
        purpose,
        lambda target: wire.read_page(1, read),
        make=make,
    )


def _find(purpose, make=None, needs=()):
    return Step(
        wire.campaigns_by_reference,
        lambda target: (target.reference, 1),
        (wire.read_page, wire.read_campaign),
        purpose,
        lambda target: wire.read_page(1, wire.read_campaign),
        needs=needs,
        make=make,
    )


def _campaign(attribute, needs):
    return Step(
        wire.campaign,
        lambda target: (getattr(target, attribute),),
        (wire.read_campaign,),
        "The status of a campaign: whether it was sent.",
        lambda target: wire.read_this_campaign(ref=getattr(target, attribute)),
        needs=(attribute, needs),
    )


def _create(client, target):
    """Also if the server was killed after this call, before its answer was stored."""
    try:
        return client.create_campaign(target.reference, target.draft)
    except CampaignMasterRefusedError:
        found = client.find_campaign(target.reference)
        if not found:
            raise
        return found


EXISTS = "The campaign of an earlier check was found."
_NO_CAMPAIGN = "No sent campaign was selected."
_NOT_CREATED = "The campaign was not created."
_LISTS = "The lists that users can select, and how many recipients they have."
_FINDING = "Finding a campaign after a lost response, so that none is created twice."

LOGIN = Step(
    wire.login,
    lambda target: ("", ""),
    (wire.read_token,),
    "Every call.",
    lambda target: wire.read_token,
    make=lambda client, target: client.authenticate(),
)
READING = (
    LOGIN,
    _catalog(
        wire.templates, wire.read_template, "The templates that users can select for a campaign."
    ),
    _catalog(wire.lists, wire.read_list, _LISTS),
    _find(_FINDING),
    _campaign("campaign_ref", _NO_CAMPAIGN),
    Step(
        wire.statistics,
        lambda target: (target.campaign_ref,),
        (wire.read_statistics,),
        "The figures and rates of a campaign.",
        lambda target: wire.read_statistics,
        needs=("campaign_ref", _NO_CAMPAIGN),
    ),
    Step(
        wire.activity,
        lambda target: (target.campaign_ref, None, 1, PAGE_SIZE),
        (wire.read_activity_page, wire.read_page, wire.read_activity),
        "Opens, clicks, bounces and opt-outs of each recipient.",
        lambda target: wire.read_activity_page(1),
        needs=("campaign_ref", _NO_CAMPAIGN),
    ),
)
# All pages: what was made before is on one of them.
WRITTEN_LIST = _catalog(wire.lists, wire.read_list, _LISTS, lambda client, _: [*client.lists()])
FOUND = _find(_FINDING, lambda client, target: client.find_campaign(target.reference))
CREATED = Step(
    wire.create_campaign,
    lambda target: (target.reference, target.draft),
    (wire.read_campaign,),
    "The first sync of a campaign.",
    lambda target: wire.read_this_campaign(reference=target.reference),
    needs=("template_ref", "There is no template."),
    unless=("created_ref", EXISTS),
    make=_create,
)
FOUND_AGAIN = _find(_FINDING, needs=("created_ref", _NOT_CREATED))
ADDED = Step(
    wire.add_recipients,
    lambda target: (target.list_ref, [target.email]),
    (wire.read_results, wire.read_result),
    "Adding recipients to a list.",
    lambda target: wire.read_each_result,
)
WRITING = (
    WRITTEN_LIST,
    FOUND,
    CREATED,
    FOUND_AGAIN,
    _campaign("created_ref", _NOT_CREATED),
    Step(
        wire.update_campaign,
        lambda target: (target.created_ref, target.draft),
        (wire.read_campaign,),
        "Each later sync of a campaign.",
        lambda target: wire.read_this_campaign(ref=target.created_ref),
        needs=("created_ref", _NOT_CREATED),
    ),
    ADDED,
)
STEPS = (*READING, *WRITING)
