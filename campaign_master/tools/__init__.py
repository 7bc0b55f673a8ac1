from .account_ledger import AccountLedger, advisory_lock
from .notification import notification
from .times import to_client, to_odoo, utcnow
