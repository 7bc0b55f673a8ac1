#!/usr/bin/env bash
# Install those of the named Debian packages that are missing, after naming them.
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

echo "Debian packages that are missing here and will be installed: ${missing[*]}"
command -v apt-get >/dev/null ||
    fail "This machine has no apt-get. Please install the equivalents of: ${missing[*]}"

if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    fail "Neither root nor sudo here. Please have an administrator run: apt-get install ${missing[*]}"
fi

# Debian's PostgreSQL sets up and starts a server of its own when it is installed. Only its programs
# are wanted here, so it is told not to, for as long as the installation takes.
no_cluster=/etc/postgresql-common/createcluster.d/campaign-master-odoo.conf
case " ${missing[*]} " in *" postgresql "*)
    trap '"${as_root[@]}" rm -f "$no_cluster"' EXIT
    "${as_root[@]}" mkdir -p "${no_cluster%/*}"
    echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
    ;;
esac

# An update that fails in part (somebody else's source is down) may still be good enough.
"${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=600 update || true
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 install "${missing[@]}" </dev/null |
    sed -u -n -E '/^(Need to get|Fetched|Setting up)/p' ||
    fail "These could not be installed: ${missing[*]}. The reason is above; is the network up?"
