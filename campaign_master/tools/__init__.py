from .account_ledger import AccountLedger, session_lock
from .notification import notification
from .run import Run
from .times import to_client, to_odoo, utcnow
from .transaction import has_written, note_written
from .words import number
