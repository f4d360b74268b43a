# libFuzzer targets, built by --enable-fuzz.
if ENABLE_FUZZ
check_PROGRAMS += tests/fuzz/fuzz_email tests/fuzz/fuzz_transform tests/fuzz/fuzz_template
tests_fuzz_fuzz_email_SOURCES = tests/fuzz/fuzz_email.c
tests_fuzz_fuzz_email_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_email_LDADD = $(LEVEL_MAPPINGS)
tests_fuzz_fuzz_transform_SOURCES = tests/fuzz/fuzz_transform.c
tests_fuzz_fuzz_transform_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_transform_LDADD = $(LEVEL_MAPPINGS)
tests_fuzz_fuzz_template_SOURCES = tests/fuzz/fuzz_template.c
tests_fuzz_fuzz_template_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_template_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_mapping
tests_fuzz_fuzz_mapping_SOURCES = tests/fuzz/fuzz_mapping.c
tests_fuzz_fuzz_mapping_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mapping_LDADD = $(LEVEL_MAPPINGS)
check_PROGRAMS += tests/fuzz/fuzz_answer
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_answer_LDADD = $(LEVEL_API)
check_PROGRAMS += tests/fuzz/fuzz_csv
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/unit/csvreference.c tests/unit/csvreference.h
tests_fuzz_fuzz_csv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_csv_LDADD = $(LEVEL_CONNECTORS)
check_PROGRAMS += tests/fuzz/fuzz_init
tests_fuzz_fuzz_init_SOURCES = tests/fuzz/fuzz_init.c
tests_fuzz_fuzz_init_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_init_LDADD = $(LEVEL_MAPPINGS)
endif
