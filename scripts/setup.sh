#!/usr/bin/env bash
# usage: scripts/setup.sh build|test ...
# Installs the missing packages to build leadsync (build) and to run all its tests (test), on Debian and derivatives. Lists
# the packages first, does not prompt, and needs no standard input.
set -euo pipefail

build_packages=(build-essential autoconf automake autoconf-archive pkg-config ca-certificates
    libcurl4-openssl-dev libpq-dev libjson-c-dev libcsv-dev libsqlite3-dev libyaml-dev libxxhash-dev libpcre2-dev
    libidn2-dev libpsl-dev libuchardet-dev zlib1g-dev libunistring-dev libssl-dev libmicrohttpd-dev)
test_packages=(check jq python3 python3-jsonschema python3-yaml sqlite3 postgresql clang clang-format valgrind shellcheck mandoc procps chromium)

wanted=()
for set in "$@"; do
    case $set in
    build) wanted+=("${build_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    *) echo "usage: scripts/setup.sh build|test ..." >&2; exit 64 ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: this system is not Debian; ./configure names each missing library. The Debian packages are:"
    echo "  ${wanted[*]}"
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=(sudo)
    else
        echo "setup: packages are missing, and only root can install them. Run as root:" >&2
        echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 77
    fi
fi

echo "setup: installing with apt-get:"
echo "  ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "setup: the installation failed; see the lines above" >&2
    exit 1
fi
