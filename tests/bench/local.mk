# make bench.
include tests/bench/state.mk
