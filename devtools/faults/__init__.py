"""./dev test --faults: what goes wrong between Odoo and Campaign Master, and what comes of it.

- ``test_matrix.py``: each call with each fault, in this process, against the sandbox over a socket;
  ``test_proof.py`` takes one precaution at a time out of the add-on and sees the matrix fail
- ``test_kills.py``: real Odoo servers that are killed in each phase of their work
- ``test_processes.py``: two real Odoo servers on one database, everybody at once; and accounts
  that are slow or broken beside one that is not

All of them work through the same few files: ``scene.py`` does what people do, with a session of
Odoo that is either inside this process (``inside.py``) or in another one (``environment/rpc.py``);
``agreement.py`` compares Odoo with the sandbox afterwards. ``table.py`` keeps what the matrix gave
in ``docs/faults.md``.
"""
