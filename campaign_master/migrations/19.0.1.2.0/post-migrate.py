from odoo import SUPERUSER_ID, api

RULES = {
    "campaign_master_recipient_rule_company": (
        '[("campaign_id.campaign_master_company_id", "in", company_ids)]'
    ),
    "campaign_master_campaign_rule_company": (
        '[("campaign_master_company_id", "in", [False, *company_ids])]'
    ),
}


def migrate(cr, version):
    """The rules of companies look at the campaign's own column, where nobody has changed them; the
    number of recipients is kept on the campaign."""
    cr.execute(
        """
        UPDATE utm_campaign AS campaign SET campaign_master_recipient_count = line.count
          FROM (SELECT campaign_id, COUNT(*) FROM campaign_master_recipient
                 GROUP BY campaign_id) AS line
         WHERE line.campaign_id = campaign.id
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, domain in RULES.items():
        rule = env.ref(f"campaign_master.{name}", raise_if_not_found=False)
        if rule and "campaign_master_account_id.company_id" in rule.domain_force:
            rule.domain_force = domain
