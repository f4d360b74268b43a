# Unit tests of the mapping file: reading, validation, binding, applying, init.
MAPPING_CASES = tests/unit/mapping_cases.c tests/unit/mapping_cases.h
MAPPING_TESTS = tests/unit/mapping.tap tests/unit/mapping_load.tap tests/unit/mapping_init.tap
check_PROGRAMS += $(MAPPING_TESTS)
TESTS += $(MAPPING_TESTS)
EXTRA_DIST += tests/cases/mapping

tests_unit_mapping_tap_SOURCES = tests/unit/mapping_test.c
tests_unit_mapping_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_mapping_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)
tests_unit_mapping_load_tap_SOURCES = tests/unit/mapping_load_test.c
tests_unit_mapping_load_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_mapping_load_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)
tests_unit_mapping_init_tap_SOURCES = tests/unit/mapping_init_test.c
tests_unit_mapping_init_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_mapping_init_tap_LDADD = $(TEST_LIBS) $(LEVEL_MAPPINGS)
