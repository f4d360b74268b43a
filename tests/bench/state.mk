EXTRA_PROGRAMS += tests/bench/bench_state
tests_bench_bench_state_SOURCES = tests/bench/bench_state.c
tests_bench_bench_state_LDADD = $(LEVEL_STATE)
CLEANFILES += tests/bench/bench_state
