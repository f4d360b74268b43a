#!/usr/bin/env bash
# usage: [BENCH='P5 P9'] [N=1000000] [N_BIG=5000000] [LEADSYNC=./leadsync] [TOOLS=tests/bench] bench.sh
# Prints figures beside their targets; fails only when something does not run, never because it is slow. N and N_BIG are
# the rows of the usual and of the large case: targets are for 1 and 5 million, a smaller N only shows that it works.
# Whole processes are measured, start to end, on a machine that also runs the server's side.
# PostgreSQL (P6) takes part when BENCH_PG names a database it may use, as in BENCH_PG='host=/tmp dbname=bench'.
set -euo pipefail

N=${N:-1000000}
N_BIG=${N_BIG:-$((N * 5))}
: "${LEADSYNC:=./leadsync}" "${TOOLS:=tests/bench}"
BENCH=${BENCH:-P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14}
LEADSYNC=$(realpath "$LEADSYNC")
TOOLS=$(realpath "$TOOLS")
campaign=0a11ca3e-0000-4000-8000-00000000de30

dir=$(mktemp -d "${TMPDIR:-/tmp}/leadsync-bench-XXXXXX")
mock_pid=
leave() {
    [ -z "$mock_pid" ] || kill "$mock_pid" 2>/dev/null || true
    [ -n "${KEEP:-}" ] || rm -rf "$dir"
}
trap leave EXIT
cd "$dir"
unset INSTANTLY_API_URL LEADSYNC_STATE CREDENTIALS_DIRECTORY
export INSTANTLY_API_KEY=bench XDG_STATE_HOME=$dir/state

die() { echo "bench: $*" >&2; exit 1; }
wanted() { # P1 P2 ...: is one of them asked for?
    local p
    for p; do
        case " $BENCH " in *" $p "*) return 0 ;; esac
    done
    return 1
}
calc() { awk "BEGIN { printf(\"%.${2:-2}f\", ($1)) }"; } # EXPRESSION [DIGITS]

# say ID MEASURED TARGET LEAST|MOST WHAT: one line of the table; the ratio is above 1 when the target is met.
say() {
    local ratio
    if [ "$4" = least ]; then ratio=$(calc "$2 / $3"); else ratio=$(calc "$3 / ($2 > 0 ? $2 : 1e-9)"); fi
    printf '%-4s %12s  %-5s %12s  x %-6s %s\n' "$1" "$2" "$4" "$3" "$ratio" "$5"
}
note() { printf '%-4s %s\n' "$1" "$2"; }

# ---- what is run ----

mock_start() { # [OPTION...]: its address in $url, and the certificate trusted
    : >mock.address
    "$TOOLS/mock_bulk" "$@" >mock.address &
    mock_pid=$!
    local i
    for ((i = 0; i < 100; i++)); do
        read -r url <mock.address && break
        sleep 0.05
    done
    [ -n "${url:-}" ] || die "the mock did not start"
    export CURL_CA_BUNDLE=$dir/cert.pem
}
mock_stop() { # its counters are in mock.stats afterwards
    kill "$mock_pid"
    wait "$mock_pid" || die "the mock failed"
    mock_pid=
    tail -n 1 mock.address >mock.stats
}
stat_of() { jq "$1" mock.stats; } # .add.leads

rows() { # FILE N [OPTION...]: made once
    local file=$1
    shift
    [ -e "$file" ] || "$TOOLS/gen_rows" "$@" >"$file"
}
mapping() { # FILE CSV PER_SECOND PER_MINUTE [LINE...]
    local file=$1 csv=$2 second=$3 minute=$4
    shift 4
    {
        cat <<END
version: 1
name: bench
source: {csv: {path: $csv}}
target: {campaign: $campaign}
fields:
  email: email
  first_name: first_name
  last_name: last_name
  company_name: company_name
  job_title: job_title
  phone: phone
  website: website
  personalization: personalization
limits: {requests_per_second: $second, requests_per_minute: $minute}
END
        printf '%s\n' "$@"
    } >"$file"
}
# run STATE MAPPING [OPTION...]: a whole sync; its figures go to wall, cpu, rss_kb.
run() {
    local state=$1 file=$2
    shift 2
    "$TOOLS/measure" figures "$LEADSYNC" sync "$file" --api-url "$url" --state "$state" --report report.json -q "$@" >out 2>err ||
        die "sync $file failed: $(cat err)"
    read -r wall user system rss_kb _ <figures
    cpu=$(calc "$user + $system" 3)
}
rss_mb() { calc "$rss_kb / 1024" 1; }
state_copy() { # FROM TO: what a finished run left
    rm -f "$2"*
    local file
    for file in "$1"*; do
        cp "$file" "$2${file#"$1"}"
    done
}

declare -A took # what an upload cost: took[base.wall]
# have_state NAME N: a settled state of N rows, uploaded unpaced.
have_state() {
    [ -z "${took[$1.wall]:-}" ] || return 0
    rows "$1.csv" "$2"
    mapping "$1.yaml" "$1.csv" 0 0
    mock_start --tls cert.pem
    run "$1.db" "$1.yaml"
    mock_stop
    [ "$(stat_of .add.leads)" -eq "$2" ] || die "$2 rows, but $(stat_of .add.leads) leads arrived"
    took[$1.wall]=$wall
    took[$1.cpu]=$cpu
    took[$1.span]=$(stat_of .add.span_seconds)
}

printf '%-4s %12s  %-5s %12s  %-8s %s\n' '' measured '' target ratio "(N=$N, $(nproc) cores, load $(cut -d " " -f 1 /proc/loadavg), $("$LEADSYNC" --version | head -n 1))"

# ---- uploads ----

if wanted P1 P2 P4 P7; then
    rows base.csv "$N"
    mapping paced.yaml base.csv 100 0
    mock_start --tls cert.pem --latency 150
    run paced.db paced.yaml
    mock_stop
    requests=$(stat_of .add.requests)
    # Short runs fill no second: the rate is that between the first and the last request.
    rate=$(calc "$requests > 1 ? ($requests - 1) / $(stat_of .add.span_seconds) : 0")
    ! wanted P1 || say P1 "$(calc "$rate / 100" 4)" 0.97 least "share of 100 requests/s, TLS, 150 ms; whole process $wall s, $(stat_of .connections_most) connections (at most 24)"
    ! wanted P2 || say P2 "$(stat_of .max_in_1s)" 100 most "requests in the fullest second; rate limited: $(jq .requests.rate_limited report.json)"
    ! wanted P4 || say P4 "$(calc "$cpu / $N * 1000000")" 4 most "CPU seconds per 1M new leads, merge included"
    ! wanted P7 || say P7 "$(rss_mb)" "$(calc "96 + 45 * $N / 1048576" 1)" most "MB, paced upload (96 MB + 21 B a state row + 24 B a new row)"
    rm -f paced.db*
fi
if wanted P2; then
    rows minute.csv 36000
    mapping minute.yaml minute.csv 40 300
    sed -i 's/^limits: {/&batch: 100, /' minute.yaml
    mock_start --tls cert.pem
    run minute.db minute.yaml
    mock_stop
    say P2 "$(stat_of .max_in_1s)" 40 most "requests in the fullest second, 40/s and 300/min"
    say P2 "$(stat_of .max_in_60s)" 300 most "requests in the fullest minute of $wall s, 40/s and 300/min"
fi
if wanted P3 P10 P11 P5 P7 P9 P12 P13; then
    have_state base "$N"
fi
if wanted P3; then
    say P3 "$(calc "$N / ${took[base.span]}" 0)" 350000 least "leads/s from the first to the last request, unpaced, TLS"
    say P3 "$(calc "$N / ${took[base.wall]}" 0)" 280000 least "leads/s of the whole process, merge included; ${took[base.cpu]} s CPU"
fi
if wanted P8; then
    rows base.csv "$N"
    mapping paced.yaml base.csv 100 0
    for ms in 0 8; do
        mock_start --tls cert.pem --latency 150
        SLOW_FSYNC_MS=$ms LD_PRELOAD=$TOOLS/slow_fsync.so run slow.db paced.yaml
        mock_stop
        rm -f slow.db*
        took[fsync.$ms]=$(stat_of .add.span_seconds)
    done
    say P8 "$(calc "${took[fsync.0]} / ${took[fsync.8]}" 4)" 0.95 least "paced throughput with 8 ms more an fsync, against without"
fi

# ---- nothing has changed ----

if wanted P5 P7 P10; then
    mock_start --tls cert.pem
    run base.db base.yaml
    ! wanted P5 || say P5 "$(calc "$N / $wall" 0)" 1200000 least "unchanged rows/s, $N rows; $cpu s CPU"
    ! wanted P7 || say P7 "$(rss_mb)" "$(calc "32 + 21 * $N / 1048576" 1)" most "MB, $N unchanged rows (32 MB + 21 B a row)"
    mock_stop
    [ "$(stat_of '.add.requests + .patch.requests')" = 0 ] || die "an unchanged CSV was written again"
    unchanged_wall=$wall
fi
if wanted P5 P7 P9 P10 && [ "$N_BIG" -gt "$N" ]; then
    have_state big "$N_BIG"
    growth=$(calc "5.2 * $N_BIG / $N / 5")
    ! wanted P10 || say P10 "$(calc "${took[big.wall]} / ${took[base.wall]}")" "$growth" most "times as long to upload $N_BIG rows as $N"
    mock_start --tls cert.pem
    if wanted P5 P7 P10; then
        run big.db big.yaml
        ! wanted P5 || say P5 "$(calc "$N_BIG / $wall" 0)" 1200000 least "unchanged rows/s, $N_BIG rows; $cpu s CPU"
        ! wanted P7 || say P7 "$(rss_mb)" "$(calc "32 + 21 * $N_BIG / 1048576" 1)" most "MB, $N_BIG unchanged rows (32 MB + 21 B a row)"
        ! wanted P10 || say P10 "$(calc "$wall / $unchanged_wall")" "$growth" most "times as long for $N_BIG unchanged rows as for $N"
    fi
    if wanted P7; then
        run big.db big.yaml --memory 32
        say P7 "$(rss_mb)" 32 most "MB, $N_BIG unchanged rows with --memory 32"
        say P7 "$(calc "$N_BIG / $wall" 0)" 400000 least "unchanged rows/s with --memory 32"
    fi
    mock_stop
fi
if wanted P9; then
    rows ten.csv 10
    mock_start --tls cert.pem
    for name in base big; do
        [ -e "$name.db" ] || continue
        best=9
        for _ in 1 2 3 4 5; do
            run "$name.db" "$name.yaml" --input ten.csv
            best=$(calc "$wall < $best ? $wall : $best" 4)
        done
        say P9 "$(calc "$best * 1000" 1)" 15 most "ms, 10 unchanged rows against the state of $name ($(du -ch "$name".db* | tail -n 1 | cut -f 1)), best of 5, TLS"
    done
    mock_stop
fi
if wanted P6; then
    if [ -n "${BENCH_PG:-}" ]; then
        rows base.csv "$N"
        psql -qX "$BENCH_PG" -c 'drop table if exists leadsync_bench' -c 'create table leadsync_bench(email text,
            first_name text, last_name text, company_name text, job_title text, phone text, website text,
            personalization text)' -c '\copy leadsync_bench from base.csv csv header' >/dev/null
        mapping pg.yaml base.csv 0 0
        sed -i "s|^source:.*|source: {postgres: {url: \"$BENCH_PG\", query: \"select * from leadsync_bench\"}}|" pg.yaml
        mock_start --tls cert.pem
        run pg.db pg.yaml
        run pg.db pg.yaml
        mock_stop
        psql -qX "$BENCH_PG" -c 'drop table leadsync_bench'
        say P6 "$(calc "$N / $wall" 0)" 900000 least "unchanged rows/s from PostgreSQL"
    else
        note P6 "left out: BENCH_PG names no database"
    fi
fi
if wanted P11; then
    sqlite3 base.db 'pragma wal_checkpoint(truncate)' >/dev/null
    bytes=$(sqlite3 base.db "select sum(pgsize) from dbstat where name <> 'lead_values'")
    say P11 "$(calc "$bytes / $N" 1)" 60 most "bytes a lead beside the kept values ($(calc "$(stat -c %s base.db) / $N" 0) with them)"
fi

# ---- few changes ----

if wanted P12; then
    rows more.csv $((N + N / 100))
    mapping more.yaml more.csv 100 0
    state_copy base.db more.db
    mock_start --tls cert.pem --latency 150
    run more.db more.yaml
    mock_stop
    [ "$(stat_of .add.leads)" -eq $((N / 100)) ] || die "$((N / 100)) new rows, but $(stat_of .add.leads) leads arrived"
    say P12 "$(calc "$wall / $N * 1000000")" 1.5 most "s per 1M rows, 1 % of them new, 150 ms"
    rm -f more.db*
fi
if wanted P13; then
    rows changed.csv "$N" --changed "$(calc "150000 / $N" 4)"
    mapping changed.yaml changed.csv 100 0
    state_copy base.db changed.db
    mock_start --tls cert.pem --latency 150
    run changed.db changed.yaml
    mock_stop
    patches=$(stat_of .patch.requests)
    # Reads share the budget: one of them goes before every 100 updates.
    rate=$(calc "($patches + $(stat_of .list.requests) - 1) / ($(stat_of .patch.span_seconds) + 0.001)")
    say P13 "$(calc "$rate / 100" 4)" 0.97 least "share of 100 requests/s while $patches leads were updated; $(stat_of .list.requests) reads"
    rm -f changed.db*
    # Updates of variables, before and after a run has learned that PATCH merges: a proof per 100, and a read before them or none.
    n=2000
    : >sandbox.address
    "$LEADSYNC" sandbox --rate 0 --patch merge >sandbox.address &
    mock_pid=$!
    while ! read -r url <sandbox.address; do sleep 0.05; done
    export INSTANTLY_API_URL=$url
    cat >seats.yaml <<END
version: 1
name: seats
source: {csv: {path: seats.csv}}
target: {campaign: $campaign}
fields: {email: email}
custom_variables: {seats: seats, plan: plan}
guards: {changed: none}
limits: {requests_per_second: 0, requests_per_minute: 0}
END
    for seats in 1 2 3; do
        awk -v n=$n -v seats=$seats 'BEGIN { print "email,seats,plan"
            for (i = 1; i <= n; i++) printf("p%d@example.com,%d,pro\n", i, seats) }' >seats.csv
        "$LEADSYNC" sync seats.yaml --state seats.db --report "seats$seats.json" >/dev/null 2>&1
    done
    kill "$mock_pid" && wait "$mock_pid"
    mock_pid=
    unset INSTANTLY_API_URL
    say P13 "$(calc "$(jq .requests.total seats3.json) / $n" 4)" "$(calc "$(jq .requests.total seats2.json) / $n" 4)" most \
        "requests per updated variable once PATCH is known to merge, beside those of the run before that"
    rm -f seats.db*
fi
if wanted P14; then
    n=$((N < 100000 ? N : 100000))
    rows hundred.csv "$n"
    mapping hundred.yaml hundred.csv 0 0
    mock_start --tls cert.pem --latency 150
    run hundred.db hundred.yaml
    ours=$wall our_cpu=$cpu our_rss=$rss_kb
    rm -f hundred.db*
    for threads in 1 24; do
        "$TOOLS/measure" figures "$TOOLS/naive" "$url" hundred.csv $threads >out || die "the naive loop failed"
        read -r wall user system rss_kb _ <figures
        cpu=$(calc "$user + $system" 3)
        if [ $threads = 1 ]; then
            say P14 "$(calc "$wall / $ours")" 12 least "times as fast as a call after the other, $n rows, 150 ms: $ours s"
        else
            say P14 "$(calc "$wall / $ours")" 1 least "times as fast as $threads threads"
            say P14 "$(calc "$our_cpu / $cpu")" 0.5 most "of their CPU"
            say P14 "$(calc "$our_rss / $rss_kb")" 0.33 most "of their memory"
        fi
    done
    mock_stop
fi
