#!/usr/bin/env bash
# usage: ./test.sh [CONFIGURE-ARGUMENT ...]
# Builds leadsync three times, with warnings as errors: with gcc, with address and undefined-behaviour sanitizers, and with
# clang. Runs every test; tests of texts and scripts run in the gcc build only. Ends with the line
# "N passed, N failed[, N skipped]", and exits 0 if no test failed.
# Writes to _test/ only. On Debian it first lists and installs the missing packages.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

scripts/setup.sh build test || exit
unset MAKEFLAGS INSTANTLY_API_KEY INSTANTLY_API_URL LEADSYNC_STATE
passed=0 failed=0 skipped=0
minutes=60 # limit for the tests of one build, so that a hanging test does not block the other builds

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# Adds the results in a build's .trs files. A program that prints "not ok" also exits with 1, and the test driver reports
# that as an ERROR. So an ERROR counts only if the program has no FAIL.
count() {
    local folder=$1 file results bad errors
    while IFS= read -r -d '' file; do
        results=$(sed -n 's/^:test-result: \([A-Z]*\).*/\1/p' "$file")
        passed=$((passed + $(grep -c -e '^PASS$' -e '^XFAIL$' <<<"$results")))
        skipped=$((skipped + $(grep -c '^SKIP$' <<<"$results")))
        bad=$(grep -c -e '^FAIL$' -e '^XPASS$' <<<"$results")
        errors=$(grep -c '^ERROR$' <<<"$results")
        [ "$bad" -gt 0 ] || bad=$errors
        failed=$((failed + bad))
        if [ "$bad" -gt 0 ]; then
            printf -- '-- %s\n' "${file%.trs}"
            grep -E -e '^(not ok|#|Bail out|ERROR:|==)' -e 'Sanitizer|runtime error' "${file%.trs}.log" | head -n 40
        fi
    done < <(find "$folder" -name '*.trs' -print0 | sort -z)
}

# Builds once and runs the tests. A failed build counts as one failed test.
check() {
    local name=$1 folder=_test/$1
    shift
    step "$name: build"
    if ! scripts/build.sh "$folder" --enable-werror "$@"; then
        failed=$((failed + 1))
        return
    fi
    find "$folder" -name '*.trs' -delete
    step "$name: make check"
    local before=$failed code=0
    # Most stories wait for a server or a clock, so run more of them at once than the machine has processors.
    {
        make -C "$folder" -j "$(nproc)" check TESTS= &&
            timeout -k 10 "$minutes"m make -C "$folder" -j "$((2 * $(nproc) + 1))" check
    } >"$folder/check.log" 2>&1 || code=$?
    count "$folder"
    [ "$code" -ne 124 ] || echo "-- make check was stopped after $minutes minutes"
    # Count a failure also if make fails and no test reports one.
    if [ "$code" -ne 0 ] && [ "$failed" -eq "$before" ]; then
        tail -n 40 "$folder/check.log"
        failed=$((failed + 1))
    fi
}

export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=1

check gcc "$@"
# At -O2 gcc needs twice the time to build, and the tests run no faster.
check sanitizers --enable-sanitizers CFLAGS='-g -O1' "$@"

step 'clang: build'
clang=$(command -v clang || command -v clang-14)
# This build only collects warnings, and they do not depend on the level of optimization.
if ! scripts/build.sh _test/clang --enable-werror CC="${clang:-clang}" CFLAGS=-O0 "$@"; then
    failed=$((failed + 1))
# "make check" without tests only builds the test programs.
elif ! make -C _test/clang -j "$(nproc)" check TESTS= >_test/clang/check.log 2>&1; then
    tail -n 40 _test/clang/check.log
    failed=$((failed + 1))
else
    passed=$((passed + 1))
fi

step 'valgrind: unit tests'
if command -v valgrind >/dev/null && [ -f _test/gcc/Makefile ]; then
    # Run each test program in one process; with a fork per test, valgrind would print a leak report per test.
    for program in _test/gcc/tests/unit/{buf,arena,jsonw,str,key,table,command}.tap; do
        [ -x "$program" ] || continue
        if CK_FORK=no CK_TIMEOUT_MULTIPLIER=20 srcdir=$PWD valgrind -q --error-exitcode=9 --leak-check=full \
            --errors-for-leak-kinds=definite "$program" >"$program.valgrind" 2>&1 </dev/null; then
            passed=$((passed + 1))
        else
            printf -- '-- %s under valgrind\n' "$program"
            grep -e '^not ok' -e '^==' "$program.valgrind" | head -n 40
            failed=$((failed + 1))
        fi
    done
else
    skipped=$((skipped + 1))
fi

printf '\n%d s\n' "$SECONDS"
if [ "$skipped" -gt 0 ]; then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%d passed, %d failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ]
