-- A copy of a database must never call Campaign Master, nor keep what it would need for it.
UPDATE campaign_master_account
   SET enabled = FALSE, secret = NULL, token = NULL, token_reset_at = NULL;
