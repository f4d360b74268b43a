# shellcheck shell=bash
# What the black-box stories share: a fresh folder, a sandbox, one way to run leadsync, and assertions that speak TAP.
#
#   . "$srcdir/tests/cli/lib.sh"
#   sandbox_start                      # optional; its options
#   run sync people.csv --campaign Demo
#   is_status 0 "a first sync succeeds"
#   finish
#
# A story runs in its own folder, which is removed afterwards unless KEEP is set. Nothing outside of it is touched. At its end
# every state that it wrote is audited.
set -u

: "${srcdir:=.}"
: "${LEADSYNC:=./leadsync}"
LEADSYNC=$(realpath "$LEADSYNC")
if [ ! -x "$LEADSYNC" ]; then
    echo "Bail out! $LEADSYNC is not there: LEADSYNC names the program to test"
    exit 99
fi
srcdir=$(realpath "$srcdir")
export LEADSYNC srcdir

tap_n=0
tap_failed=0
sandbox_pids=()
status=0
url=

story=$(mktemp -d "${TMPDIR:-/tmp}/leadsync-cli-XXXXXX")
cd "$story" || exit 99

# What the caller's shell has set must not decide what a test sees.
umask 022
unset INSTANTLY_API_URL LEADSYNC_STATE CREDENTIALS_DIRECTORY JOURNAL_STREAM COLUMNS NO_COLOR
unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy
export INSTANTLY_API_KEY=test-key
export LEADSYNC_ABORT=1 # a step outside the tables of the upload aborts
export XDG_STATE_HOME=$story/state HOME=$story TERM=dumb LC_ALL=C.UTF-8

leave() {
    local pid
    for pid in "${sandbox_pids[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    cd / || exit 99
    if [ -n "${KEEP:-}" ]; then
        echo "# kept: $story"
    else
        rm -rf "$story"
    fi
}
trap leave EXIT

# ---- running ----

# run WORD...: leadsync with these words; afterwards $status, and the files out and err.
run() {
    status=0
    "$LEADSYNC" "$@" >out 2>err </dev/null || status=$?
}

# every_command: the commands, one per line; for a family its verbs ("jobs list").
every_command() {
    local command verbs
    while read -r command; do
        verbs=$("$LEADSYNC" help --words "$command" | grep -v '^-' | sed "s/^/$command /")
        echo "${verbs:-$command}"
    done < <("$LEADSYNC" help --words)
}

# run with a file as standard input.
run_from() {
    local input=$1
    shift
    status=0
    "$LEADSYNC" "$@" >out 2>err <"$input" || status=$?
}

# sandbox_start [OPTION...]: starts one and points INSTANTLY_API_URL at it; its address is in $url, its pid in
# $sandbox_pid. It refuses keys that the API would drop without a word, so that no story passes with a misspelt one.
sandbox_start() {
    local i
    : >sandbox.address
    "$LEADSYNC" sandbox --unknown-keys refuse "$@" >>sandbox.address 2>sandbox.err </dev/null &
    sandbox_pid=$!
    sandbox_pids+=("$sandbox_pid")
    for ((i = 0; i < 2400; i++)); do
        read -r url <sandbox.address && break
        kill -0 "$sandbox_pid" 2>/dev/null || break
        sleep 0.05
    done
    if [ -z "$url" ]; then
        echo "Bail out! the sandbox did not start: $(head -n 3 sandbox.err)"
        exit 99
    fi
    export INSTANTLY_API_URL=$url
}

sandbox_stop() {
    kill "$sandbox_pid" && wait "$sandbox_pid"
}

# ---- assertions ----

# ok DESCRIPTION COMMAND...: a test that passes when the command does.
ok() {
    local description=$1
    shift
    tap_n=$((tap_n + 1))
    if "$@"; then
        printf 'ok %d - %s\n' "$tap_n" "$description"
        return
    fi
    tap_failed=$((tap_failed + 1))
    printf 'not ok %d - %s\n' "$tap_n" "$description"
    printf '#   failed: %s\n' "$*"
    printf '#   status %s\n' "$status"
    local file
    for file in out err; do
        [ -f "$file" ] && head -c 2000 "$file" | sed "s/^/#   $file: /"
    done
    return 0
}

skip() { # DESCRIPTION WHY
    tap_n=$((tap_n + 1))
    printf 'ok %d - %s # SKIP %s\n' "$tap_n" "$1" "$2"
}

is_status() { ok "${2:-exit status $1}" test "$status" -eq "$1"; }
out_has() { ok "${2:-stdout has: $1}" grep -qF -e "$1" out; }
err_has() { ok "${2:-stderr has: $1}" grep -qF -e "$1" err; }
not_in() { local f=$1; ok "${3:-$f lacks: $2}" lacks "$f" "$2"; }
lacks() { ! grep -qF -e "$2" "$1"; }
not() { ! "$@"; }
out_is_empty() { ok "${1:-stdout is empty}" test ! -s out; }
# out_is_json FILTER DESCRIPTION: stdout is JSON, and the jq filter is true of it.
out_is_json() { ok "$2" jq_true "$1"; }
jq_true() { [ -s "${2:-out}" ] && jq -e "$1" "${2:-out}" >/dev/null; } # FILTER [FILE]
same() { ok "$3" cmp "$1" "$2"; }

# ---- the end ----

# Every state that a story wrote, wherever in its folder and under whatever name, must hold its invariants at the end.
audit_states() {
    local file n=0
    : >"$story/findings"
    while IFS= read -r -d '' file; do
        [ "$(tail -c +69 "$file" | head -c 4 | tr -d '\0')" = LSyn ] || continue # application_id
        n=$((n + 1))
        "$LEADSYNC" status --state "$file" --audit >audit.out 2>audit.err </dev/null && continue
        { echo "${file#"$story"/}:" && cat audit.out audit.err; } >>"$story/findings"
    done < <(find "$story" -type f -size +7 -print0)
    [ "$n" -gt 0 ] || return 0
    ok "the audit of all that was written down ($n) finds nothing" test ! -s "$story/findings"
    sed 's/^/#   /' "$story/findings"
}

finish() {
    cd "$story" && audit_states
    printf '1..%d\n' "$tap_n"
    exit $((tap_failed > 0))
}
