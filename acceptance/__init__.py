"""./dev test --acceptance: what README promises, through the doors that people take.

- ``test_demo.py``: the first command in README, in an empty state directory, with a browser
- ``test_commands.py``: every command that README, help and docs name is started
- ``test_upgrade.py``: databases of every released version, filled, upgraded and used
- ``test_workers.py``: Odoo with worker processes, a proxy in front of it, and a browser

``released.py`` has the released versions, ``filling.py`` what a company has after some months of
use, ``reading.py`` what a user can see of it, and ``views.py`` opens every view.
"""
