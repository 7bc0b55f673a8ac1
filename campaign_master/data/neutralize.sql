-- A copy of a database must never call Campaign Master, nor keep what it would need for it.
UPDATE campaign_master_account
   SET enabled = FALSE, secret = NULL, token = NULL, token_reset_at = NULL;
UPDATE campaign_master_sync SET state = 'cancelled', ended_at = now() AT TIME ZONE 'UTC'
 WHERE state = 'running';
UPDATE utm_campaign SET campaign_master_sync_state = 'cancelled'
 WHERE campaign_master_sync_state = 'running';
