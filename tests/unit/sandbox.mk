# Unit tests of sandbox: its parts alone, the server with its faults, and tables of requests and answers.
sandbox_cases = \
	tests/cases/sandbox/account.txt tests/cases/sandbox/add.txt tests/cases/sandbox/control.txt \
	tests/cases/sandbox/gate.txt tests/cases/sandbox/jobs.txt tests/cases/sandbox/lead.txt \
	tests/cases/sandbox/lies.txt tests/cases/sandbox/list.txt tests/cases/sandbox/many.txt tests/cases/sandbox/move.txt \
	tests/cases/sandbox/places.txt tests/cases/sandbox/plan.txt
EXTRA_DIST += $(sandbox_cases)
SANDBOX_KIT = tests/unit/sandbox_client.c tests/unit/sandbox_client.h

check_PROGRAMS += tests/unit/sandbox_parts.tap tests/unit/sandbox.tap tests/unit/sandbox_faults.tap tests/unit/sandbox_cases.tap
TESTS += tests/unit/sandbox_parts.tap tests/unit/sandbox.tap tests/unit/sandbox_faults.tap tests/unit/sandbox_cases.tap

tests_unit_sandbox_parts_tap_SOURCES = tests/unit/sandbox_parts_test.c
tests_unit_sandbox_parts_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_sandbox_parts_tap_LDADD = $(TEST_LIBS) $(LEVEL_SANDBOX)
tests_unit_sandbox_tap_SOURCES = tests/unit/sandbox_test.c
tests_unit_sandbox_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_sandbox_tap_LDADD = $(TEST_LIBS) $(LEVEL_SANDBOX)
tests_unit_sandbox_faults_tap_SOURCES = tests/unit/sandbox_faults_test.c
tests_unit_sandbox_faults_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_sandbox_faults_tap_LDADD = $(TEST_LIBS) $(LEVEL_SANDBOX)
tests_unit_sandbox_cases_tap_SOURCES = tests/unit/sandbox_cases_test.c
tests_unit_sandbox_cases_tap_CFLAGS = $(TEST_CFLAGS)
tests_unit_sandbox_cases_tap_LDADD = $(TEST_LIBS) $(LEVEL_SANDBOX)
