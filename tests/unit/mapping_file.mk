# Unit tests of the mapping file: reading, validation, binding, applying, init.
check_PROGRAMS += tests/unit/mapping.tap
TESTS += tests/unit/mapping.tap
EXTRA_DIST += tests/cases/mapping

tests_unit_mapping_tap_SOURCES = tests/unit/mapping_test.c tests/unit/mapping_cases.c tests/unit/mapping_cases.h
tests_unit_mapping_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_mapping_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)
