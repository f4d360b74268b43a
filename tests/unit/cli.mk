# Unit tests of cmd.
CMD_TESTS = tests/unit/command.tap tests/unit/jobs_cmd.tap tests/unit/key.tap tests/unit/progress.tap tests/unit/reading.tap \
	tests/unit/value_arg.tap
check_PROGRAMS += $(CMD_TESTS)
TESTS += $(CMD_TESTS)
CMD_KIT = tests/unit/cmd_kit.c tests/unit/cmd_kit.h

tests_unit_command_tap_SOURCES = tests/unit/command_test.c $(CMD_KIT)
tests_unit_command_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_command_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)

tests_unit_jobs_cmd_tap_SOURCES = tests/unit/jobs_cmd_test.c $(CMD_KIT)
tests_unit_jobs_cmd_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_jobs_cmd_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)

tests_unit_key_tap_SOURCES = tests/unit/key_test.c
tests_unit_key_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_key_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)

tests_unit_progress_tap_SOURCES = tests/unit/progress_test.c
tests_unit_progress_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_progress_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)

tests_unit_reading_tap_SOURCES = tests/unit/reading_test.c $(CMD_KIT)
tests_unit_reading_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_reading_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)

tests_unit_value_arg_tap_SOURCES = tests/unit/value_arg_test.c
tests_unit_value_arg_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_value_arg_tap_LDADD = $(TEST_LIBS) $(LEVEL_CLI)
