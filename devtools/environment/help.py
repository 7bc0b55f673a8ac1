"""What ./dev help says."""

HELP = """\
./dev demo                 start Odoo with the add-on, demo data and a local Campaign Master
./dev demo --check         do the whole job once by itself, and compare the figures
./dev test [PYTEST ARGS]   run all tests, or the ones named (FILE::NAME, or -k WORD)
./dev test --faults        what can go wrong between Odoo and Campaign Master; --all runs every case
./dev test --acceptance    what README promises: the demo, every command, upgrades, workers
./dev lint                 check the style of everything
./dev bench [--quick]      measure; --quota simulates a year of calls
./dev odoo ...             Odoo's own command line: ./dev odoo -d mine -i campaign_master
./dev sandbox --port N     the local Campaign Master alone (--help tells its options)
./dev pot                  write the add-on's terms to translate to i18n/campaign_master.pot
./dev help                 this

On Debian 12 or 13 it gets what it needs: Debian packages that are missing are named and then
installed (as root, or with sudo); Odoo 19, Python packages and databases go into your home.

Variables, for those who have their own:
  CAMPAIGN_MASTER_ODOO     an Odoo 19 source tree
  PGHOST PGPORT PGUSER PGPASSWORD
                           a PostgreSQL server and a user who may create databases (not `postgres`)
  ODOO_RC                  an Odoo configuration file
  XDG_CACHE_HOME           instead of ~/.cache: campaign-master-odoo in it can be fetched again
  XDG_STATE_HOME           instead of ~/.local/state: campaign-master-odoo in it holds the databases
                           (as root they are in /var/lib/campaign-master-odoo)\
"""
