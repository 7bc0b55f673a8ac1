"""./dev test --faults: failures between Odoo and Campaign Master, and how Odoo recovers.

- ``test_matrix.py``: each call with each fault (``cells.py``), played in this process against the
  sandbox over a socket (``matrix.py``); ``test_proof.py`` shows that it fails without the add-on's
  precautions
- ``test_kills.py``: a real Odoo server that is killed in each phase of its work
- ``test_processes.py``: two real Odoo servers on one database, with many users at the same time
- ``test_fairness.py``: an account that is slow or broken beside one that is not

All of them use ``scene.py`` for the actions of users, with a session of Odoo in this process
(``inside.py``) or in another one (``environment/rpc.py``). ``agreement.py`` compares Odoo with the
sandbox afterwards. ``table.py`` reads and writes the matrix in ``docs/faults.md``.
"""
