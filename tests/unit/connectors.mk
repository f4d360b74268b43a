check_PROGRAMS += tests/unit/csv.tap
TESTS += tests/unit/csv.tap
tests_unit_csv_tap_SOURCES = tests/unit/csv_test.c tests/unit/csvcases.c tests/unit/csvcases.h
tests_unit_csv_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_csv_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)
EXTRA_DIST += tests/cases/csv/README tests/cases/csv/lines.case tests/cases/csv/quotes.case tests/cases/csv/ragged.case \
	tests/cases/csv/header.case tests/cases/csv/delimiter.case tests/cases/csv/encoding.case tests/cases/csv/limits.case
