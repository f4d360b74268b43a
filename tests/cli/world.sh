# shellcheck shell=bash source=tests/cli/lib.sh
# What stories about runs share, on top of lib.sh: a look into the sandbox, people, and what must hold after every run.
#
# shellcheck disable=SC2154 # url and srcdir are of lib.sh

# http METHOD PATH [BODY]: the sandbox's answer on stdout, also of the API itself. By bash alone: no test should fail for
# want of curl.
http() {
    local port=${url##*:} body=${3:-}
    exec 9<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s %s HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer any\r\nUser-Agent: story\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$2" "${#body}" "$body" >&9
    sed '1,/^\r$/d' <&9
    exec 9<&- 9>&-
}
# control OBJECT: changes the sandbox's world.
control() {
    local answer
    answer=$(http POST /__control "$1")
    [ "$answer" = '{}' ] || echo "# control $1: $answer"
}
world() { http GET /__state >world.json; }
counter() { http GET '/__state?leads=0' | jq "$1"; } # .counters.created
created_are() { [ "$(counter .counters.created)" -ge "$1" ]; } # at least so many were
# requests REGEX: how many of the last 10 000 requests match "METHOD PATH".
requests() {
    http GET /__requests | jq --arg re "$1" '[.requests[] | select("\(.method) \(.path)" | test($re))] | length'
}
# Whatever may change something there. leads/list is a read that is posted.
# shellcheck disable=SC2034 # for the stories
WRITES='^(POST (?!.*/leads/list$)|PATCH|PUT|DELETE)'
forget_requests() { control '{"reset": true}'; }

people() { python3 "$srcdir/tests/cli/people.py" make "$@"; } # N [--from FIRST] [--changed EVERY] [--extra]

# holds CSV PLACE: exactly the rows of the CSV are in that campaign or list, byte for byte.
# holds CSV PLACE --cleaned: the same, with the values that the step "clean" leaves, as in a straight CSV.
holds() {
    world
    python3 "$srcdir/tests/cli/people.py" compare "$1" world.json "$2" "${@:3}"
}

# no_limits: options of a straight CSV for a run that shall be quick; the sandbox's own limits go, too.
# shellcheck disable=SC2034 # for the stories
quick=(--requests-per-second 0 --requests-per-minute 0 --settle 400ms)
# alone: the same, with any other leads in the workspace; for stories with the same people in many campaigns.
# shellcheck disable=SC2034
alone=("${quick[@]}" --dedupe target-only)

# mapping FILE [LINE...]: one for people.csv into Demo, as a straight CSV would have it, and quick.
mapping() {
    local file=$1
    shift
    {
        cat <<'END'
version: 1
name: people
fields:
  email: email
  first_name: first_name
  last_name: last_name
  company_name: company_name
  job_title: job_title
  phone: phone
  website: website
END
        printf '%s\n' "$@"
        grep -q '^source:' <<<"$(printf '%s\n' "$@")" || echo 'source: {csv: {path: people.csv}}'
        grep -q '^target:' <<<"$(printf '%s\n' "$@")" || echo 'target: {campaign: Demo}'
        grep -q '^limits:' <<<"$(printf '%s\n' "$@")" ||
            echo 'limits: {requests_per_second: 0, requests_per_minute: 0, settle: 400ms}'
    } >"$file"
}

# The sum of a run's report (in `out`) closes.
sum_closes() {
    ok "${1:-its sum closes}" jq_true '.rows |
        .read == .created + .changed + .unchanged + .skipped + .rejected + .failed + .deferred'
}
# report_has DESCRIPTION FILTER: the report in `out`.
report_has() { ok "$1" jq_true "$2"; }
# audited STATE: its invariants hold.
audited() {
    run status --state "$1" --audit
    is_status 0 "the state's audit finds nothing"
}
# until_true COMMAND...: waits for something that has to come, however busy the machine. Five minutes are for ever.
until_true() {
    local end=$((SECONDS + 300))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.02
    done
}
# Requests that hang (slow@… in faults) until a story has seen what it came for: let_go has all of them answered.
let_go() { control '{"faults": "", "answer": true}'; }
# with_time STATE FILTER WORD...: a run over a new state with the smallest --max-seconds in which this machine comes so far
# that the filter is true of its report.
with_time() {
    local state=$1 filter=$2 seconds
    shift 2
    for seconds in 1 4 16 64; do
        rm -f "$state"*
        run "$@" --state "$state" --max-seconds "$seconds"
        jq_true "$filter" && return
    done
}
