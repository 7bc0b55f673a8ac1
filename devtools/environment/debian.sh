#!/usr/bin/env bash
# Install missing Debian packages.
set -euo pipefail

fail() {
    echo "$*" >&2
    exit 1
}

missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Missing Debian packages that will be installed: ${missing[*]}"
command -v apt-get >/dev/null ||
    fail "apt-get not found. Install the equivalents of: ${missing[*]}"

if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    fail "Not root, and sudo not found. Ask an administrator to run: apt-get install ${missing[*]}"
fi

# Only PostgreSQL's programs are needed: do not create and start a server during the installation.
no_cluster=/etc/postgresql-common/createcluster.d/campaign-master-odoo.conf
case " ${missing[*]} " in *" postgresql "*)
    trap '"${as_root[@]}" rm -f "$no_cluster"' EXIT
    "${as_root[@]}" mkdir -p "${no_cluster%/*}"
    echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
    ;;
esac

# A partial failure, such as an unreachable third-party source, is not fatal.
"${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=600 update || true
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 install "${missing[@]}" </dev/null |
    sed -u -n -E '/^(Need to get|Fetched|Setting up)/p' ||
    fail "Installation failed: ${missing[*]}. See the errors above, and check the network."

# Likewise, only PgBouncer's program is needed.
case " ${missing[*]} " in *" pgbouncer "*)
    "${as_root[@]}" systemctl --quiet disable --now pgbouncer 2>/dev/null || true
    ;;
esac
