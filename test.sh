#!/usr/bin/env bash
# usage: ./test.sh [CONFIGURE-ARGUMENT ...]
# Builds leadsync three times, with warnings as errors: with gcc, with address and undefined-behaviour sanitizers, and with
# clang. Runs every test; tests of texts and scripts run in the gcc build only. Ends with the line
# "N passed, N failed[, N skipped]", and exits 0 if no test failed.
# Writes to _test/ only. On Debian it first lists and installs the missing packages.
# The steps are the scripts in .ci/; SEED=N repeats the random choices.
set -euo pipefail
cd "$(dirname "$0")"
export SEED=${SEED:-$((RANDOM + 1))}
echo "SEED=$SEED"
exec .ci/run "$@"
