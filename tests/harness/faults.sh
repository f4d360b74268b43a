# shellcheck shell=bash disable=SC2154 # a test has set builddir
# Shell functions to run a command once for each of its allocations, with that one failing. Sourced by tests; needs
# $builddir. A command that ends by a signal (status above 128) or is stopped by a sanitizer (99) has crashed.
#
#   faults_allocations COMMAND…          prints how many allocations COMMAND makes
#   faults_each_allocation STEP COMMAND… fails every STEP-th in turn; prints "N status" for every crash; 0 when none
#   faults_writes COMMAND…               prints how many output calls COMMAND makes (obeys $FAILIO_PATH)
#
# More of FAILIO_* is in failio.c: it is set beside LD_PRELOAD="$failio".

failmalloc=$builddir/tests/harness/failmalloc.so
failio=$builddir/tests/harness/failio.so
# Under AddressSanitizer the preloaded object comes before its runtime, which is what is wanted here.
faults_asan=verify_asan_link_order=0:allocator_may_return_null=1:exitcode=99

faults_count() { # OBJECT VARIABLE COMMAND…
    faults_object=$1 faults_variable=$2
    shift 2
    faults_file=$(mktemp "${TMPDIR:-/tmp}/faults-XXXXXX") || return 1
    env ASAN_OPTIONS="$faults_asan" LD_PRELOAD="$faults_object" "$faults_variable=$faults_file" "$@" >/dev/null 2>&1
    cat "$faults_file"
    rm -f "$faults_file"
}

faults_allocations() { faults_count "$failmalloc" FAILMALLOC_COUNT_FILE "$@"; }
faults_writes() { faults_count "$failio" FAILIO_COUNT_FILE "$@"; }

faults_each_allocation() {
    faults_step=$1
    shift
    faults_total=$(faults_allocations "$@")
    faults_crashes=0 faults_n=1
    while [ "$faults_n" -le "${faults_total:-0}" ]; do
        env ASAN_OPTIONS="$faults_asan" LD_PRELOAD="$failmalloc" FAILMALLOC_AT="$faults_n" "$@" >/dev/null 2>&1
        faults_status=$?
        if [ "$faults_status" -gt 128 ] || [ "$faults_status" -eq 99 ]; then
            printf '%s %s\n' "$faults_n" "$faults_status"
            faults_crashes=$((faults_crashes + 1))
        fi
        faults_n=$((faults_n + faults_step))
    done
    [ "$faults_crashes" -eq 0 ]
}
