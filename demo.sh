#!/usr/bin/env bash
# usage: ./demo.sh
# Builds leadsync and shows it at work against a local stand-in for Instantly: a CSV of people goes into a campaign, goes
# there again, is changed, and a run is killed half-way. No account and no key are needed, and nothing leaves this
# machine. On Debian it first installs what the build needs, and says what. Everything it makes is in _build/ and _demo/.
# The exit status is 0 only when all went as it says.
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

# ---- telling and checking ----
bold='' plain=''
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
step() { # TITLE TEXT
    printf '\n\n%s%s%s\n%s\n' "$bold" "$1" "$plain" "$2"
}

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
count() { sed -n "s/.*\"$2\":\\([0-9]*\\).*/\\1/p" "$1" | head -n 1; }
# What the stand-in holds, asked of it and not of leadsync: its "leads" and what it "created".
there() {
    local port=${url##*:} answer
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /__state?leads=0 HTTP/1.0\r\nHost: localhost\r\n\r\n' >&9
    answer=$(cat <&9)
    exec 9>&-
    sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" <<<"$answer" | head -n 1
}

printf '\nThree hundred made-up people (_demo/people.csv) are going into the campaign "Demo", as a mapping file\n'
printf '(_demo/people.yaml) says. Each command stands behind a $; what was promised and held has a check mark.\n'
printf '\n$ leadsync sandbox &     # the stand-in, at %s\n' "$url"
printf '$ export INSTANTLY_API_URL=%s INSTANTLY_API_KEY=any-key-will-do\n' "$url"

cd _demo
step "1. The first rows, and the leads they would become" \
    "Names are tidied, phone numbers and domains brought into one form; the file is not touched."
show preview people.yaml --limit 5
promise "the mapping fits the file" test "$status" -eq 0

step "2. Is everything in place?" \
    "Mapping, file, key, campaign and its variables, plan: one line each, and nothing is written."
show check people.yaml
promise "mapping, source, key and target are in order" test "$status" -eq 0

step "3. What would a sync do?" \
    "The dry run: + is a lead that would be created; then every row that is left out, and why; then the costs."
"$leadsync" diff people.yaml </dev/null >diff.txt || status=$?
printf '\n$ leadsync diff people.yaml\n'
awk 'NR == 14 {print "[...]"} /^\.\.\. and/ {rest = 1} NR <= 12 || rest' diff.txt
promise "the diff is shown (all of it: _demo/diff.txt)" test "$status" -eq 0
promise "no state was made" test ! -e "$XDG_STATE_HOME"
promise "and the stand-in holds no lead" test "$(there leads)" -eq 0

step "4. Do it" \
    "The same rows, now sent. Rows that cannot be leads are rejected, so the exit status is 1: something is left over."
show sync people.yaml --report first.json
promise "every row is accounted for, 11 of them as rejected (exit status 1)" test "$status" -eq 1
created=$(count first.json created)
promise "$created leads were created, and the stand-in holds just as many" test "$(there leads)" -eq "$created"

step "5. Do it again" \
    "Nothing has changed, so no lead is sent: the requests are reads, of the key and the campaign."
show sync people.yaml --report second.json
promise "no lead is created twice" test "$(count second.json created)" -eq 0
promise "the $created leads are unchanged" test "$(count second.json unchanged)" -eq "$created"
promise "and the stand-in still holds $created" test "$(there leads)" -eq "$created"

step "6. Somebody gets a new job" \
    "One cell of the CSV changes. The diff shows the old and the new value (~ is an update), the sync sends just that."
sed -i '0,/,Leiterin Einkauf,/s//,Geschäftsführerin,/' people.csv
printf "\n\$ sed -i '0,/,Leiterin Einkauf,/s//,Geschäftsführerin,/' people.csv\n"
printf '\n$ leadsync diff people.yaml\n'
"$leadsync" diff people.yaml </dev/null >diff.txt || status=$?
sed '/^Left out/,/^$/d' diff.txt | sed '/^Reasons/,/^$/d'
promise "one lead would change" grep -q '"Leiterin Einkauf" -> "Geschäftsführerin"' diff.txt
show sync people.yaml --report third.json -q
promise "one lead was changed" grep -q '"changed":1,' third.json

step "7. What became of the rows" \
    "Each row of a run has an outcome and a reason. The rejected ones come as a CSV with the columns of the source."
show results --run 1 --outcome rejected
promise "the results are listed" test "$status" -eq 0
show rejects --run 1 -o rejects.csv
promise "rejected rows are in _demo/rejects.csv, to be corrected and fed in again" test -s rejects.csv

step "8. Pull the plug" \
    "A CSV of 3000, without a mapping file this time. The run is killed half-way, with requests under way."
seq 3000 | awk 'BEGIN {print "Email,First Name"} {print "p" $1 "@example.org,Person " $1}' >many.csv
many=(sync many.csv --campaign Demo --batch 50 --settle 1s -q)
printf '\n$ leadsync %s & sleep 0.6; kill -9 $!\n' "${many[*]}"
"$leadsync" "${many[@]}" </dev/null &
killed=$!
sleep 0.6
kill -9 "$killed" 2>/dev/null || true
wait "$killed" 2>/dev/null || true
show status
printf '\nThe same command again: first it reads back what it cannot know, then it sends the rest.\n'
show "${many[@]}" --report fourth.json
promise "it completes" test "$status" -eq 0
promise "and the stand-in holds exactly $((created + 3000)) leads: none twice, none lost" \
    test "$(there leads) $(there created)" = "$((created + 3000)) $((created + 3000))"

printf '\nDone. The state and all output are in _demo/. To go on by hand, in two terminals:\n'
printf '  _build/leadsync sandbox\n  INSTANTLY_API_URL=http://127.0.0.1:PORT INSTANTLY_API_KEY=any _build/leadsync help\n'
