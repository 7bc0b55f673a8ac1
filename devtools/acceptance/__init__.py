"""./dev test --acceptance: what README promises, tested as users experience it.

- ``test_demo.py``: README's first command in an empty state directory, with a browser
- ``test_commands.py``: every command that README, help and docs mention
- ``test_upgrade.py``: databases of every released version, upgraded and used
- ``test_uninstall.py``: uninstalled from a database with data, and installed again
- ``test_workers.py``: Odoo with worker processes behind a proxy, with a browser
- ``test_pgbouncer.py``: Odoo behind a PgBouncer

``releases.py`` lists the released versions, ``sample_data.py`` creates the data of several
companies, ``snapshot.py`` reads it as a user, ``moved.py`` compares the columns that moved to
other tables, and ``views.py`` opens every view.
"""
