# shellcheck shell=bash
# What the steps of .ci/run share. A step begins with `. "$(dirname "$0")/lib.sh"` and ends with `finish`. Steps write to _test/
# only: a build each, and _test/STEP.count for .ci/run.
# TESTS: run these tests alone, such as TESTS='tests/unit/buf.tap tests/cli/usage.test'.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null
unset MAKEFLAGS INSTANTLY_API_KEY INSTANTLY_API_URL LEADSYNC_STATE
name=$(basename "$0")
folder=_test/$name
passed=0 failed=0 skipped=0
started=${CI_STARTED:-$(date +%s)}
minutes=60 # limit for the tests of one build, so that a hanging test does not block the other builds
mkdir -p _test

title() { printf '\n== %s (%d s)\n' "$*" "$(($(date +%s) - started))"; }

# Adds the results in a build's .trs files. A program that prints "not ok" also exits with 1, and the test driver reports
# that as an ERROR. So an ERROR counts only if the program has no FAIL.
count_results() {
    local file results bad errors
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

# Builds the program. A failed build counts as one failed test.
build() {
    title "$name: build"
    scripts/build.sh "$folder" --enable-werror "$@" && return
    failed=$((failed + 1))
    return 1
}

make_check() {
    if [ -n "${TESTS:-}" ]; then
        make -C "$folder" test TESTS="$TESTS"
        return
    fi
    # Most stories wait for a server or a clock, so run more of them at once than the machine has processors.
    make -C "$folder" -j "$(nproc)" check TESTS= &&
        timeout -k 10 "$minutes"m make -C "$folder" -j "$((2 * $(nproc) + 1))" check
}

# Runs the tests of the build.
check() {
    local code=0
    find "$folder" -name '*.trs' -delete
    title "$name: make check"
    make_check >"$folder/check.log" 2>&1 || code=$?
    count_results
    [ "$code" -ne 124 ] || echo "-- make check was stopped after $minutes minutes"
    # Count a failure also if make fails and no test reports one.
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
        tail -n 40 "$folder/check.log"
        failed=1
    fi
}

finish() {
    echo "$passed $failed $skipped" >"_test/$name.count"
    echo "-- $name: passed $passed, failed $failed, skipped $skipped"
    [ "$failed" -eq 0 ]
    exit
}
