from dataclasses import asdict, dataclass

from odoo import models

from ..client import Campaign, CampaignMasterRefusedError


@dataclass(frozen=True)
class Export:
    """What an export did.

    :ivar client.Campaign remote: the campaign as it is in Campaign Master now
    :ivar dict texts: the texts that it has
    :ivar bool changed: whether it was created or updated
    """

    remote: Campaign
    texts: dict
    changed: bool


class CampaignMasterCampaign(models.Model):
    """Creating and updating the campaign in Campaign Master."""

    _inherit = "campaign.master.campaign"

    def _reference(self):
        """:return: our reference of the campaign, the same in each attempt: Campaign Master accepts
        it only once, so that a lost response never leads to a second campaign
        :rtype: str"""
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        reference = f"odoo-{uuid}-{self.campaign_id.id}"
        if self.generation:
            reference += f"-{self.generation + 1}"
        return reference

    def _export(self, client, draft):
        """Create or update the campaign. Commits before the first call.

        Nothing has to be stored between the calls: if the server is killed, the next attempt finds
        the campaign by its reference.

        :param client: ``client.CampaignMasterClient``
        :param client.CampaignDraft draft: what people planned
        :rtype: Export
        :raise CampaignMasterNotFoundError: the campaign was deleted in Campaign Master
        :raise CampaignMasterError: the call failed; try again if the error is ``retryable``
        """
        self.ensure_one()
        texts = asdict(draft)
        del texts["template_ref"]  # it cannot be updated
        ref, reference = self.campaign_id.campaign_master_ref, self._reference()
        synced_texts = self.synced_texts
        self.env.cr.commit()  # pylint: disable=invalid-commit
        remote = client.get_campaign(ref) if ref else client.find_campaign(reference)
        changed = False
        if not remote:
            remote, synced_texts, changed = (
                self._create_remote(client, reference, draft),
                texts,
                True,
            )
        # Campaign Master may not say what the texts are, or whether it is a draft.
        is_same = synced_texts == texts and all(
            getattr(remote, name) in (None, texts[name])
            for name in ("name", "description", "subject")
        )
        if remote.status in ("draft", "") and not is_same:
            remote = client.update_campaign(remote.ref, draft)
            synced_texts, changed = texts, True
        return Export(remote, synced_texts, changed)

    def _create_remote(self, client, reference, draft):
        try:
            return client.create_campaign(reference, draft)
        except CampaignMasterRefusedError as error:
            # A previous attempt created it after all, and its response was late.
            if any(entry.field == "reference" for entry in error.errors):
                remote = client.find_campaign(reference)
                if remote:
                    return remote
            raise
