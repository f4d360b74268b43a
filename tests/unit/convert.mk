# Unit tests of the value functions.
CONVERT_CASES = tests/unit/convert_cases.c tests/unit/convert_cases.h

check_PROGRAMS += tests/unit/email.tap
TESTS += tests/unit/email.tap
tests_unit_email_tap_SOURCES = tests/unit/email_test.c $(CONVERT_CASES)
tests_unit_email_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_email_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)
EXTRA_DIST += tests/cases/email/addresses.txt tests/cases/email/unwrap.txt
