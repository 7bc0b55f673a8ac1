"""./dev test --acceptance: what README promises, tested as users experience it.

- ``test_demo.py``: README's first command in an empty state directory, with a browser
- ``test_commands.py``: every command that README, help and docs mention
- ``test_upgrade.py``: databases of every released version, upgraded and used
- ``test_workers.py``: Odoo with worker processes behind a proxy, with a browser

``releases.py`` lists the released versions, ``sample_data.py`` creates the data of two companies,
``snapshot.py`` reads it as a user, and ``views.py`` opens every view.
"""
