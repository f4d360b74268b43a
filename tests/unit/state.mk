# Unit tests of the state. state_kit is the fixture that they share.
state_kit = tests/unit/state_kit.c tests/unit/state_kit.h

check_PROGRAMS += tests/unit/state_journal.tap
TESTS += tests/unit/state_journal.tap
tests_unit_state_journal_tap_SOURCES = tests/unit/state_journal_test.c
tests_unit_state_journal_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_journal_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_merge.tap
TESTS += tests/unit/state_merge.tap
tests_unit_state_merge_tap_SOURCES = tests/unit/state_merge_test.c
tests_unit_state_merge_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_merge_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_unseen.tap
TESTS += tests/unit/state_unseen.tap
tests_unit_state_unseen_tap_SOURCES = tests/unit/state_unseen_test.c
tests_unit_state_unseen_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_unseen_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_open.tap
TESTS += tests/unit/state_open.tap
tests_unit_state_open_tap_SOURCES = tests/unit/state_open_test.c
tests_unit_state_open_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_open_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_random.tap
TESTS += tests/unit/state_random.tap
tests_unit_state_random_tap_SOURCES = tests/unit/state_random_test.c
tests_unit_state_random_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_random_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_results.tap
TESTS += tests/unit/state_results.tap
tests_unit_state_results_tap_SOURCES = tests/unit/state_results_test.c
tests_unit_state_results_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_results_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_settings.tap
TESTS += tests/unit/state_settings.tap
tests_unit_state_settings_tap_SOURCES = tests/unit/state_settings_test.c
tests_unit_state_settings_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_settings_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_forget.tap
TESTS += tests/unit/state_forget.tap
tests_unit_state_forget_tap_SOURCES = tests/unit/state_forget_test.c
tests_unit_state_forget_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_forget_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/forget_list.tap
TESTS += tests/unit/forget_list.tap
tests_unit_forget_list_tap_SOURCES = tests/unit/forget_list_test.c
tests_unit_forget_list_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_forget_list_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_people.tap
TESTS += tests/unit/state_people.tap
tests_unit_state_people_tap_SOURCES = tests/unit/state_people_test.c
tests_unit_state_people_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_people_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_audit.tap
TESTS += tests/unit/state_audit.tap
tests_unit_state_audit_tap_SOURCES = tests/unit/state_audit_test.c
tests_unit_state_audit_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_audit_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_seen.tap
TESTS += tests/unit/state_seen.tap
tests_unit_state_seen_tap_SOURCES = tests/unit/state_seen_test.c
tests_unit_state_seen_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_seen_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_crash.tap
TESTS += tests/unit/state_crash.tap
tests_unit_state_crash_tap_SOURCES = tests/unit/state_crash_test.c
tests_unit_state_crash_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_crash_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)

check_PROGRAMS += tests/unit/state_tamper.tap
TESTS += tests/unit/state_tamper.tap
tests_unit_state_tamper_tap_SOURCES = tests/unit/state_tamper_test.c
tests_unit_state_tamper_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_state_tamper_tap_LDADD = $(TEST_LIBS) $(LEVEL_STATE)
