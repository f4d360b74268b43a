#!/usr/bin/env bash
# usage: scripts/build.sh FOLDER [CONFIGURE-ARGUMENT ...]
# Builds leadsync in FOLDER. Runs configure again if the arguments have changed. Writes the output of the tools to
# FOLDER/build.log, and prints its end if a tool fails. MAKE_TARGETS: make targets in place of "all".
set -euo pipefail

source_folder=$(cd "$(dirname "$0")/.." && pwd)
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

say() {
    "$@" >>build.log 2>&1 && return
    tail -n 40 build.log >&2
    echo "build: failed: $*; see $folder/build.log" >&2
    exit 1
}

: >build.log
if [ ! -x "$source_folder/configure" ]; then
    # Lock, because two builds can start at once in the same sources.
    (
        flock 9
        cd "$source_folder"
        [ -x configure ] || autoreconf -fi
    ) 9>"$source_folder/.autoreconf.lock" >>build.log 2>&1 || { tail -n 40 build.log >&2; exit 1; }
    rm -f "$source_folder/.autoreconf.lock"
fi
arguments=$(printf '%q ' "$@")
if [ ! -f Makefile ] || [ "$(cat configured-with 2>/dev/null)" != "$arguments" ]; then
    say "$source_folder/configure" "$@"
    printf '%s\n' "$arguments" >configured-with
fi
read -r -a targets <<<"${MAKE_TARGETS:-all}"
say make -j "$(nproc)" "${targets[@]}"
