#!/usr/bin/env bash
# usage: ./demo.sh
# Builds leadsync and shows it at work against a local stand-in for Instantly. It syncs a CSV of people into a campaign,
# syncs it again, changes a cell, and kills a run half-way. It needs no account and no key, and sends nothing to other
# machines. On Debian it first lists and installs the missing build dependencies. It writes to _build/ and _demo/ only.
# Exits 0 only if every check passes.
set -euo pipefail
cd "$(dirname "$0")"

scripts/setup.sh build
echo "building leadsync in _build/ ..."
scripts/build.sh _build
leadsync=$PWD/_build/leadsync

rm -rf _demo
mkdir -p _demo
cp mappings/examples/people.{yaml,csv} _demo/
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

# ---- output and checks ----
bold='' plain=''
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
step() { # TITLE TEXT
    printf '\n\n%s%s%s\n%s\n' "$bold" "$1" "$plain" "$2"
}

# Prints a command, runs it and sets $status to its exit status.
show() {
    printf '\n$ leadsync %s\n' "$*"
    status=0
    "$leadsync" "$@" </dev/null || status=$?
}

# Ends the demo if COMMAND fails.
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
count() { sed -n "s/.*\"$2\":\\([0-9]*\\).*/\\1/p" "$1" | head -n 1; }
# Prints a counter of the stand-in itself, not of leadsync: the "leads" that it holds, or those that it "created".
there() {
    local port=${url##*:} answer
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /__state?leads=0 HTTP/1.0\r\nHost: localhost\r\n\r\n' >&9
    answer=$(cat <&9)
    exec 9>&-
    sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" <<<"$answer" | head -n 1
}

printf '\nThis demo syncs 300 made-up people (_demo/people.csv) into the campaign "Demo", by a mapping (_demo/people.yaml).\n'
printf 'Commands follow a $; a check mark means that the demo verified the result.\n'
printf '\n$ leadsync sandbox &     # the stand-in, at %s\n' "$url"
printf '$ export INSTANTLY_API_URL=%s INSTANTLY_API_KEY=any-key-will-do\n' "$url"

cd _demo
step "1. Preview the first rows as leads" \
    "The mapping cleans names and converts phone numbers and domains to one form. The file does not change."
show preview people.yaml --limit 5
promise "the mapping fits the file" test "$status" -eq 0

step "2. Check the prerequisites" \
    "The check reports on mapping, file, key, campaign, variables and plan, one line each. It writes nothing."
show check people.yaml
promise "mapping, source, key and target are in order" test "$status" -eq 0

step "3. Show what a sync would do" \
    "The dry run marks a lead to create with +. Then it lists each left-out row with its reason, and the requests needed."
"$leadsync" diff people.yaml </dev/null >diff.txt || status=$?
printf '\n$ leadsync diff people.yaml\n'
awk 'NR == 14 {print "[...]"} /^\.\.\. and/ {rest = 1} NR <= 12 || rest' diff.txt
promise "the diff succeeds (full output: _demo/diff.txt)" test "$status" -eq 0
promise "the diff created no state file" test ! -e "$XDG_STATE_HOME"
promise "the stand-in holds no lead" test "$(there leads)" -eq 0

step "4. Sync" \
    "The sync sends the same rows. It rejects rows that cannot become leads, so it exits with status 1."
show sync people.yaml --report first.json
promise "the sync accounts for all 300 rows and rejects $(count first.json rejected) of them (exit status 1)" \
    test "$status $(count first.json read)" = "1 300"
created=$(count first.json created)
promise "the sync created $created leads, and the stand-in holds $created" test "$(there leads)" -eq "$created"

step "5. Sync again" \
    "Nothing has changed, so the sync sends no lead. Its requests only read the key and the campaign."
show sync people.yaml --report second.json
promise "the second sync creates no lead" test "$(count second.json created)" -eq 0
promise "all $created leads are unchanged" test "$(count second.json unchanged)" -eq "$created"
promise "the stand-in still holds $created leads" test "$(there leads)" -eq "$created"

step "6. Change one cell" \
    "A person gets a new job title. The diff marks the update with ~ and shows both values; the sync sends only the new one."
sed -i '0,/,Leiterin Einkauf,/s//,Geschäftsführerin,/' people.csv
printf "\n\$ sed -i '0,/,Leiterin Einkauf,/s//,Geschäftsführerin,/' people.csv\n"
printf '\n$ leadsync diff people.yaml\n'
"$leadsync" diff people.yaml </dev/null >diff.txt || status=$?
sed '/^Left out/,/^$/d' diff.txt | sed '/^Reasons/,/^$/d'
promise "the diff shows one change" grep -q '"Leiterin Einkauf" -> "Geschäftsführerin"' diff.txt
show sync people.yaml --report third.json -q
promise "the sync changed one lead" grep -q '"changed":1,' third.json

step "7. See what happened to each row" \
    "Each row of a run has an outcome and a reason. The rejected rows can be written as a CSV with the source's columns."
show results --run 1 --outcome rejected
promise "the results list the rejected rows" test "$status" -eq 0
show rejects --run 1 -o rejects.csv
promise "_demo/rejects.csv holds the rejected rows, ready to be corrected and synced with --input" test -s rejects.csv

step "8. Kill a run" \
    "This CSV has 3000 rows and no mapping. The demo kills the run half-way, while requests are in flight."
seq 3000 | awk 'BEGIN {print "Email,First Name"} {print "p" $1 "@example.org,Person " $1}' >many.csv
many=(sync many.csv --campaign Demo --batch 50 --settle 1s -q)
printf '\n$ leadsync %s & sleep 0.6; kill -9 $!\n' "${many[*]}"
"$leadsync" "${many[@]}" </dev/null &
killed=$!
sleep 0.6
kill -9 "$killed" 2>/dev/null || true
wait "$killed" 2>/dev/null || true
show status
printf '\nThe same command again first reads back the unknown outcomes, then sends the remaining rows.\n'
show "${many[@]}" --report fourth.json
promise "the second run completes" test "$status" -eq 0
promise "the stand-in holds exactly $((created + 3000)) leads: none twice, none lost" \
    test "$(there leads) $(there created)" = "$((created + 3000)) $((created + 3000))"

printf '\nDone. The state file and all output are in _demo/. To try more commands, use two terminals:\n'
printf '  _build/leadsync sandbox\n  INSTANTLY_API_URL=http://127.0.0.1:PORT INSTANTLY_API_KEY=any _build/leadsync help\n'
