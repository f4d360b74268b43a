# shellcheck shell=bash source=tests/cli/lib.sh
# A PostgreSQL server of a story's own: in a scratch folder, on a Unix socket there and nowhere else, as a user without
# privileges. Sourced after lib.sh; skips the story if there is no PostgreSQL.
#
#   pg_start                     # $pg: host=… dbname=postgres, for leadsync's url: and for sql
#   sql "select 1"               # as the superuser; AS=reader sql …: as another user
#
# shellcheck disable=SC2154 # story is of lib.sh

pg_skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
pg_find() {
    local found
    pg_bin=
    pg_user=()
    if ! command -v initdb >/dev/null; then
        found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | tail -n 1)
        [ -x "$found" ] || pg_skip "no initdb: apt-get install postgresql"
        pg_bin=${found%initdb}
    fi
    [ "$(id -u)" -eq 0 ] || return 0
    id postgres >/dev/null 2>&1 || pg_skip "running as root, and there is no user postgres to run the server as"
    pg_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
}

# "command": where the programs are in PATH, the function would call itself.
pg_ctl() { (cd / && command "${pg_user[@]}" "${pg_bin}pg_ctl" -s -w -t 300 -D "$pg_dir/db" "$@"); }
pg_up() {
    pg_ctl -l "$pg_dir/log" -o "-c listen_addresses='' -k $pg_dir -c fsync=off -c timezone=UTC" start
}
pg_leave() {
    [ -f "$pg_dir/db/postmaster.pid" ] && pg_ctl -m immediate stop
    rm -rf "$pg_dir"
    leave
}
pg_start() {
    pg_find
    pg_dir=$(mktemp -d "${TMPDIR:-/tmp}/leadsync-pg-XXXXXX")
    trap pg_leave EXIT
    [ "${#pg_user[@]}" -eq 0 ] || chown postgres "$pg_dir"
    if ! (cd / && "${pg_user[@]}" "${pg_bin}initdb" -N -A trust -U postgres -E UTF8 --locale=C -D "$pg_dir/db") >pg.log 2>&1 ||
        ! pg_up; then
        echo "Bail out! the database did not start: $(tail -n 3 pg.log "$pg_dir/log")"
        exit 99
    fi
    pg="host=$pg_dir dbname=postgres"
}
# sql TEXT: rows as a|b, one per line.
sql() { "${pg_bin}psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$pg user=${AS:-postgres}" -c "$1"; }
# sql_is WANT TEXT
sql_is() {
    local got
    got=$(sql "$2")
    [ "$got" = "$1" ] || { printf '# %s\n# gave: %s\n' "$2" "${got//$'\n'/$'\n# '}"; return 1; }
}
