# Unit tests of model: one program a module.
MODEL_TESTS = tests/unit/change.tap tests/unit/entry.tap tests/unit/lead.tap tests/unit/match.tap tests/unit/reason.tap tests/unit/row.tap tests/unit/target.tap
check_PROGRAMS += $(MODEL_TESTS)
TESTS += $(MODEL_TESTS)

tests_unit_change_tap_SOURCES = tests/unit/change_test.c
tests_unit_change_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_change_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_entry_tap_SOURCES = tests/unit/entry_test.c
tests_unit_entry_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_entry_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_lead_tap_SOURCES = tests/unit/lead_test.c
tests_unit_lead_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_lead_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_match_tap_SOURCES = tests/unit/match_test.c
tests_unit_match_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_match_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_reason_tap_SOURCES = tests/unit/reason_test.c
tests_unit_reason_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_reason_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_row_tap_SOURCES = tests/unit/row_test.c
tests_unit_row_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_row_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
tests_unit_target_tap_SOURCES = tests/unit/target_test.c
tests_unit_target_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_target_tap_LDADD = $(TEST_LIBS) $(LEVEL_MODEL)
