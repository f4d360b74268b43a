# Unit tests of base: one program a module.
BASE_TESTS = tests/unit/arena.tap tests/unit/buf.tap tests/unit/clock.tap tests/unit/err.tap tests/unit/file.tap \
	tests/unit/hash.tap tests/unit/jsonw.tap tests/unit/log.tap tests/unit/opt.tap tests/unit/stop.tap \
	tests/unit/str.tap tests/unit/text.tap
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)

tests_unit_arena_tap_SOURCES = tests/unit/arena_test.c
tests_unit_arena_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_arena_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_buf_tap_SOURCES = tests/unit/buf_test.c
tests_unit_buf_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_buf_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_clock_tap_SOURCES = tests/unit/clock_test.c
tests_unit_clock_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_clock_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_err_tap_SOURCES = tests/unit/err_test.c
tests_unit_err_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_err_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_file_tap_SOURCES = tests/unit/file_test.c
tests_unit_file_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_file_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_hash_tap_SOURCES = tests/unit/hash_test.c
tests_unit_hash_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_hash_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_jsonw_tap_SOURCES = tests/unit/jsonw_test.c
tests_unit_jsonw_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_jsonw_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_log_tap_SOURCES = tests/unit/log_test.c
tests_unit_log_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_log_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_opt_tap_SOURCES = tests/unit/opt_test.c
tests_unit_opt_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_opt_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_stop_tap_SOURCES = tests/unit/stop_test.c
tests_unit_stop_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_stop_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_str_tap_SOURCES = tests/unit/str_test.c
tests_unit_str_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_str_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
tests_unit_text_tap_SOURCES = tests/unit/text_test.c
tests_unit_text_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_text_tap_LDADD = $(TEST_LIBS) $(LEVEL_BASE)
