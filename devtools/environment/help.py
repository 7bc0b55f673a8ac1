"""The text of ./dev help."""

HELP = """\
./dev demo                 run Odoo with the add-on, demo data and the sandbox
./dev demo --check         run the complete workflow once and compare the figures
./dev test [PYTEST ARGS]   run all tests, or selected ones (FILE::NAME or -k WORD)
./dev test --faults        test failures between Odoo and Campaign Master; --all runs every case
./dev test --acceptance    test what README promises: demo, commands, upgrades, workers
./dev lint                 check code style
./dev bench [--quick]      run the benchmarks; --quota simulates a year of API calls
./dev odoo ...             run Odoo's command line: ./dev odoo -d mine -i campaign_master
./dev sandbox --port N     run only the sandbox (--help lists its options)
./dev pictures             retake README's pictures, from the demo's data
./dev pot                  update i18n/campaign_master.pot
./dev help                 show this help

The sandbox is a local stand-in for Campaign Master. On Debian 12 and 13, all dependencies are
installed: Debian packages (listed first) as root or with sudo; Odoo 19, Python packages and
databases in your home directory.

Environment variables for existing installations:
  CAMPAIGN_MASTER_ODOO     Odoo 19 source tree
  PGHOST PGPORT PGUSER PGPASSWORD
                           PostgreSQL server, and a user other than `postgres` who can create
                           databases
  ODOO_RC                  Odoo configuration file
  XDG_CACHE_HOME           instead of ~/.cache; downloads are in campaign-master-odoo
  XDG_STATE_HOME           instead of ~/.local/state; databases are in campaign-master-odoo
                           (as root: in /var/lib/campaign-master-odoo)\
"""
