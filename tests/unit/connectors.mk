# Unit tests of connectors.
check_PROGRAMS += tests/unit/source_csv.tap
TESTS += tests/unit/source_csv.tap
tests_unit_source_csv_tap_SOURCES = tests/unit/source_csv_test.c tests/unit/csvcases.c tests/unit/csvcases.h \
	tests/unit/csvreference.c tests/unit/csvreference.h
tests_unit_source_csv_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_source_csv_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

check_PROGRAMS += tests/unit/source_csv_file.tap
TESTS += tests/unit/source_csv_file.tap
tests_unit_source_csv_file_tap_SOURCES = tests/unit/source_csv_file_test.c
tests_unit_source_csv_file_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_source_csv_file_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

check_PROGRAMS += tests/unit/sqltext.tap
TESTS += tests/unit/sqltext.tap
tests_unit_sqltext_tap_SOURCES = tests/unit/sqltext_test.c
tests_unit_sqltext_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_sqltext_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

check_PROGRAMS += tests/unit/source_sqlite.tap
TESTS += tests/unit/source_sqlite.tap
tests_unit_source_sqlite_tap_SOURCES = tests/unit/source_sqlite_test.c
tests_unit_source_sqlite_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_source_sqlite_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

check_PROGRAMS += tests/unit/source_command.tap
TESTS += tests/unit/source_command.tap
tests_unit_source_command_tap_SOURCES = tests/unit/source_command_test.c
tests_unit_source_command_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_source_command_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

POSTGRES_TESTS = tests/unit/source_postgres.tap tests/unit/postgres_conn.tap tests/unit/postgres_results.tap tests/unit/postgres_engagement.tap
check_PROGRAMS += $(POSTGRES_TESTS)
TESTS += $(POSTGRES_TESTS)
POSTGRES_KIT = tests/unit/postgres_kit.c tests/unit/postgres_kit.h tests/unit/rowtext.c tests/unit/rowtext.h
tests_unit_source_postgres_tap_SOURCES = tests/unit/source_postgres_test.c
tests_unit_source_postgres_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_source_postgres_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)
tests_unit_postgres_conn_tap_SOURCES = tests/unit/postgres_conn_test.c
tests_unit_postgres_conn_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_postgres_conn_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)
tests_unit_postgres_engagement_tap_SOURCES = tests/unit/postgres_engagement_test.c
tests_unit_postgres_engagement_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_postgres_engagement_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)
tests_unit_postgres_results_tap_SOURCES = tests/unit/postgres_results_test.c
tests_unit_postgres_results_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_postgres_results_tap_LDADD = $(TEST_LIBS) $(LEVEL_CONNECTORS)

EXTRA_DIST += tests/cases/csv/README tests/cases/csv/lines.case tests/cases/csv/quotes.case tests/cases/csv/ragged.case \
	tests/cases/csv/header.case tests/cases/csv/delimiter.case tests/cases/csv/encoding.case tests/cases/csv/limits.case tests/cases/csv/embedded.case
