#!/usr/bin/env bash
# usage: ./demo.sh
# Builds leadsync and shows it at work: a CSV of people goes into a campaign of a local stand-in for Instantly, twice. No
# account and no key are needed, and nothing leaves this machine. On Debian it first installs what the build needs, and
# says what. Everything it makes is in _build/ and _demo/. The exit status is 0 only when all went as it says.
set -euo pipefail
cd "$(dirname "$0")"

scripts/setup.sh build
echo "building leadsync in _build/ ..."
scripts/build.sh _build
leadsync=$PWD/_build/leadsync
sync=mappings/examples/people.yaml

rm -rf _demo
mkdir -p _demo
unset LEADSYNC_STATE CREDENTIALS_DIRECTORY
export XDG_STATE_HOME=$PWD/_demo/state INSTANTLY_API_KEY=any-key-will-do

# ---- the stand-in ----
"$leadsync" sandbox >_demo/sandbox.address 2>_demo/sandbox.log </dev/null &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true' EXIT
url=
for _ in $(seq 200); do
    read -r url <_demo/sandbox.address && break
    sleep 0.05
done
if [ -z "$url" ]; then
    cat _demo/sandbox.log >&2
    echo "demo: the sandbox did not start" >&2
    exit 1
fi
export INSTANTLY_API_URL=$url

# ---- the steps ----
step() { printf '\n\n\033[1m%s\033[0m\n' "$1"; }
[ -t 1 ] || step() { printf '\n\n%s\n' "$1"; }

# Shows a command and runs it; its exit status is in $status.
show() {
    printf '\n$ leadsync %s\n' "$*"
    status=0
    "$leadsync" "$@" </dev/null || status=$?
}

# Ends the demo when something is not as promised.
promise() { # DESCRIPTION COMMAND...
    local description=$1
    shift
    if "$@"; then
        printf '  \342\234\223 %s\n' "$description"
    else
        printf '  \342\234\227 %s (exit status %s)\n' "$description" "$status" >&2
        exit 1
    fi
}
count() { sed -n "s/.*\"$2\":\\([0-9]*\\).*/\\1/p" "_demo/$1" | head -n 1; }

step "A rehearsal: the stand-in runs at $url"
printf '\n$ export INSTANTLY_API_URL=%s INSTANTLY_API_KEY=any-key-will-do\n' "$url"

step "1. The first rows, and the leads they would become"
show preview "$sync" --limit 5
promise "the mapping fits the file" test "$status" -eq 0

step "2. Is everything in place?"
show check "$sync"
promise "mapping, source, key and target are in order" test "$status" -eq 0

step "3. What would a sync do? (This writes nothing.)"
show diff "$sync"
promise "the diff is shown" test "$status" -eq 0
promise "and no state was made" test ! -e "$XDG_STATE_HOME"

step "4. Do it"
show sync "$sync" --report _demo/first.json
promise "every row is accounted for (1: some rows were rejected)" test "$status" -le 1
created=$(count first.json created)
promise "leads were created: $created" test "$created" -gt 0

step "5. Do it again: nothing has changed, so nothing is sent"
show sync "$sync" --report _demo/second.json
promise "no lead is created twice" test "$(count second.json created)" -eq 0
promise "the $created leads are unchanged" test "$(count second.json unchanged)" -eq "$created"

step "6. What became of each row of the first run"
show results --run 1
promise "the results are listed" test "$status" -eq 0
show rejects --run 1 -o _demo/rejects.csv
promise "rejected rows are in _demo/rejects.csv, to be corrected and fed in again" test -s _demo/rejects.csv

printf '\nDone. The state and all output are in _demo/. To go on by hand, in two terminals:\n'
printf '  _build/leadsync sandbox\n  INSTANTLY_API_URL=http://127.0.0.1:PORT INSTANTLY_API_KEY=any _build/leadsync help\n'
