# make bench [BENCH='P5 P9'] [N=1000000]: figures beside their targets.
include tests/bench/state.mk
BENCH_TOOLS = tests/bench/gen_rows tests/bench/measure tests/bench/mock_bulk tests/bench/naive
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS) tests/bench/slow_fsync.so
tests_bench_gen_rows_SOURCES = tests/bench/gen_rows.c tests/bench/person.h
tests_bench_measure_SOURCES = tests/bench/measure.c
tests_bench_mock_bulk_SOURCES = tests/bench/mock_bulk.c tests/bench/mock_answer.c tests/bench/mock_answer.h \
	tests/bench/mock_cert.c tests/bench/mock_cert.h tests/bench/mock_window.c tests/bench/mock_window.h tests/bench/person.h
tests_bench_mock_bulk_LDADD = -lssl $(CRYPTO_LIBS) -lpthread
tests_bench_naive_SOURCES = tests/bench/naive.c tests/bench/person.h
tests_bench_naive_LDADD = $(CURL_LIBS) $(JSON_LIBS) $(CSV_LIBS) -lpthread
EXTRA_DIST += tests/bench/bench.sh tests/bench/slow_fsync.c

tests/bench/slow_fsync.so: $(top_srcdir)/tests/bench/slow_fsync.c
	$(FAULT_BUILD) $(top_srcdir)/tests/bench/slow_fsync.c
## bench: figures beside their targets; BENCH=P5 and N=100000 choose
bench: leadsync $(BENCH_TOOLS) tests/bench/slow_fsync.so
	LEADSYNC=./leadsync TOOLS=tests/bench $(srcdir)/tests/bench/bench.sh
.PHONY: bench
