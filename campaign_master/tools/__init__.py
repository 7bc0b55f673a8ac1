from .access import MARKETING_GROUP, check_administrator, check_marketing_user
from .account_ledger import AccountLedger
from .check_report import render_report
from .cron_run import CronRun
from .dates import to_client, to_odoo, utcnow
from .error_messages import explain, explain_cause
from .format import format_count, format_date_and_time, format_moment, format_percent
from .notification import notification
from .traffic_recorder import TrafficRecorder
from .transaction import commit_with_retry
