# Fuzz targets. `make check` replays the inputs that were kept of them; with ./configure --enable-fuzz CC=clang they are
# built for libFuzzer, and `make fuzz [FUZZ_SECONDS=60] [FUZZ='csv mapping']` looks for new ones (kept in fuzz-found/) and
# `make fuzz-corpus` then brings the smallest set that reaches as much code into tests/fuzz/corpus.
FUZZ = answer csv email init mapping template transform
FUZZ_SECONDS = 60
EXTRA_DIST += tests/fuzz/corpus

check_PROGRAMS += tests/fuzz/answer.tap
TESTS += tests/fuzz/answer.tap
tests_fuzz_answer_tap_SOURCES = tests/fuzz/fuzz_answer.c tests/fuzz/replay.c
tests_fuzz_answer_tap_LDADD = $(LEVEL_API)

check_PROGRAMS += tests/fuzz/csv.tap
TESTS += tests/fuzz/csv.tap
tests_fuzz_csv_tap_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/replay.c tests/unit/csvreference.c tests/unit/csvreference.h
tests_fuzz_csv_tap_LDADD = $(LEVEL_CONNECTORS)

check_PROGRAMS += tests/fuzz/email.tap
TESTS += tests/fuzz/email.tap
tests_fuzz_email_tap_SOURCES = tests/fuzz/fuzz_email.c tests/fuzz/replay.c
tests_fuzz_email_tap_LDADD = $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/fuzz/init.tap
TESTS += tests/fuzz/init.tap
tests_fuzz_init_tap_SOURCES = tests/fuzz/fuzz_init.c tests/fuzz/replay.c
tests_fuzz_init_tap_LDADD = $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/fuzz/mapping.tap
TESTS += tests/fuzz/mapping.tap
tests_fuzz_mapping_tap_SOURCES = tests/fuzz/fuzz_mapping.c tests/fuzz/replay.c
tests_fuzz_mapping_tap_LDADD = $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/fuzz/template.tap
TESTS += tests/fuzz/template.tap
tests_fuzz_template_tap_SOURCES = tests/fuzz/fuzz_template.c tests/fuzz/replay.c
tests_fuzz_template_tap_LDADD = $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/fuzz/transform.tap
TESTS += tests/fuzz/transform.tap
tests_fuzz_transform_tap_SOURCES = tests/fuzz/fuzz_transform.c tests/fuzz/replay.c
tests_fuzz_transform_tap_LDADD = $(LEVEL_MAPPINGS)

if ENABLE_FUZZ
check_PROGRAMS += tests/fuzz/fuzz_answer
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_answer_LDADD = $(LEVEL_API)
check_PROGRAMS += tests/fuzz/fuzz_csv
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/unit/csvreference.c tests/unit/csvreference.h
tests_fuzz_fuzz_csv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_csv_LDADD = $(LEVEL_CONNECTORS)
check_PROGRAMS += tests/fuzz/fuzz_email
tests_fuzz_fuzz_email_SOURCES = tests/fuzz/fuzz_email.c
tests_fuzz_fuzz_email_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_email_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_init
tests_fuzz_fuzz_init_SOURCES = tests/fuzz/fuzz_init.c
tests_fuzz_fuzz_init_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_init_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_mapping
tests_fuzz_fuzz_mapping_SOURCES = tests/fuzz/fuzz_mapping.c
tests_fuzz_fuzz_mapping_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mapping_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_template
tests_fuzz_fuzz_template_SOURCES = tests/fuzz/fuzz_template.c
tests_fuzz_fuzz_template_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_template_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_transform
tests_fuzz_fuzz_transform_SOURCES = tests/fuzz/fuzz_transform.c
tests_fuzz_fuzz_transform_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_transform_LDADD = $(LEVEL_MAPPINGS)
FUZZ_READY = $(FUZZ:%=tests/fuzz/fuzz_%)
else
FUZZ_READY = fuzz-off
endif
fuzz-off:
	@echo "there are no fuzzers here: ./configure --enable-fuzz --enable-sanitizers CC=clang" >&2; exit 1
## fuzz: looks for inputs that crash; FUZZ=csv and FUZZ_SECONDS=60 choose
fuzz: $(FUZZ_READY)
	for t in $(FUZZ); do $(MKDIR_P) fuzz-found/$$t && \
	    tests/fuzz/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=20 -print_final_stats=1 \
	        -artifact_prefix=fuzz-found/$$t. fuzz-found/$$t $(srcdir)/tests/fuzz/corpus/$$t || exit; done
## fuzz-corpus: keeps the smallest set of what fuzz has found
fuzz-corpus: $(FUZZ_READY)
	for t in $(FUZZ); do $(MKDIR_P) fuzz-found/$$t && rm -rf fuzz-least && $(MKDIR_P) fuzz-least && \
	    tests/fuzz/fuzz_$$t -set_cover_merge=1 -use_counters=0 fuzz-least fuzz-found/$$t $(srcdir)/tests/fuzz/corpus/$$t && \
	    rm -rf $(srcdir)/tests/fuzz/corpus/$$t && mv fuzz-least $(srcdir)/tests/fuzz/corpus/$$t || exit; done
.PHONY: fuzz fuzz-corpus fuzz-off
