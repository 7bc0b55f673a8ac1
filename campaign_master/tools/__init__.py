from .account_ledger import AccountLedger, advisory_lock
