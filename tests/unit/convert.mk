# Unit tests of the value functions.
CONVERT_CASES = tests/unit/convert_cases.c tests/unit/convert_cases.h

check_PROGRAMS += tests/unit/email.tap
TESTS += tests/unit/email.tap
tests_unit_email_tap_SOURCES = tests/unit/email_test.c
tests_unit_email_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_email_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/unit/first_line.tap
TESTS += tests/unit/first_line.tap
tests_unit_first_line_tap_SOURCES = tests/unit/first_line_test.c
tests_unit_first_line_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_first_line_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/unit/names.tap
TESTS += tests/unit/names.tap
tests_unit_names_tap_SOURCES = tests/unit/names_test.c
tests_unit_names_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_names_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/unit/template.tap
TESTS += tests/unit/template.tap
tests_unit_template_tap_SOURCES = tests/unit/template_test.c
tests_unit_template_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_template_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/unit/transform.tap
TESTS += tests/unit/transform.tap
tests_unit_transform_tap_SOURCES = tests/unit/transform_test.c
tests_unit_transform_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_transform_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

check_PROGRAMS += tests/unit/typed.tap
TESTS += tests/unit/typed.tap
tests_unit_typed_tap_SOURCES = tests/unit/typed_test.c
tests_unit_typed_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_typed_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)

EXTRA_DIST += \
	tests/cases/convert/claims.txt \
	tests/cases/convert/columns.txt \
	tests/cases/convert/dates.txt \
	tests/cases/convert/flaws.txt \
	tests/cases/convert/names.txt \
	tests/cases/convert/opt_outs.txt \
	tests/cases/convert/replace.txt \
	tests/cases/convert/steps.txt \
	tests/cases/convert/templates.txt \
	tests/cases/convert/title.txt \
	tests/cases/convert/truncate.txt \
	tests/cases/convert/typed.txt \
	tests/cases/email/addresses.txt \
	tests/cases/email/unwrap.txt
