-- A copy of a database must neither call Campaign Master nor be able to.
UPDATE campaign_master_account SET enabled = FALSE, secret = NULL, client_id = NULL,
       saved_client_secret = NULL;
UPDATE campaign_master_account_state SET token = NULL, token_reset_at = NULL,
       recording_until = NULL;
DELETE FROM campaign_master_trace;
UPDATE campaign_master_sync SET state = 'cancelled', ended_at = now() AT TIME ZONE 'UTC'
 WHERE state = 'running';
UPDATE utm_campaign SET campaign_master_sync_state = 'cancelled'
 WHERE campaign_master_sync_state = 'running';
UPDATE campaign_master_api_check SET state = 'cancelled', ended_at = now() AT TIME ZONE 'UTC'
 WHERE state = 'running';
UPDATE campaign_master_campaign SET requested_at = NULL WHERE requested_at IS NOT NULL;
