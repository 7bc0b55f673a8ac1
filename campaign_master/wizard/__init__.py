from . import (
    base_partner_merge,
    campaign_master_add_recipients,
    campaign_master_change_list,
    campaign_master_check,
    campaign_master_preflight,
)
