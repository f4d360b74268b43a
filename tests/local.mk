# Unit tests: one Check program a module, each room in its own list. They speak TAP.
TEST_EXTENSIONS = .tap .test
TAP_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = LEADSYNC='$(abs_top_builddir)/leadsync'; export LEADSYNC; \
	srcdir='$(abs_top_srcdir)'; export srcdir; builddir='$(abs_top_builddir)'; export builddir;

if HAVE_CHECK
check_LIBRARIES += tests/libharness.a
# A kit that three or more programs use is compiled once, into this library; a program links the kits that it calls.
tests_libharness_a_SOURCES = tests/unit/harness.c tests/unit/harness.h $(CONVERT_CASES) $(ENGINE_KIT) $(FAKE_TRANSPORT) $(MAPPING_CASES) \
	$(MOVE_KIT) $(POSTGRES_KIT) $(QUEUE_KIT) $(REMOVE_KIT) $(SANDBOX_KIT) $(state_kit)
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
TEST_LIBS = tests/libharness.a $(CHECK_LIBS)
include tests/unit/base.mk
include tests/unit/model.mk
include tests/unit/connectors.mk
include tests/unit/mappings.mk
include tests/unit/state.mk
include tests/unit/api.mk
include tests/unit/sandbox.mk
include tests/unit/floor3.mk
include tests/unit/cli.mk
endif
include tests/harness/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/soak/local.mk

## check-quick: the unit tests, but for four that take as long as all others
SLOW_UNITS = tests/unit/refused.tap tests/unit/rekey_handover.tap tests/unit/state_crash.tap tests/unit/state_tamper.tap
check-quick:
	$(MAKE) check TESTS='$(filter-out $(SLOW_UNITS),$(filter tests/unit/%.tap,$(check_PROGRAMS)))'
## lint: layout of the sources, scripts, man page, lengths of files and functions
lint: leadsync
	@srcdir=$(srcdir) builddir=. LEADSYNC=./leadsync bash $(srcdir)/tests/cli/lint.test
## test: run TESTS='tests/unit/queue.tap ...', and build only these
# check-TESTS would build all test programs.
TEST_TRACES = $(basename $(TESTS))
test: all $(filter %.tap,$(TESTS)) $(filter-out %.tap,$(check_PROGRAMS)) $(check_DATA)
	rm -f test-suite.log $(TEST_TRACES:=.log) $(TEST_TRACES:=.trs)
	$(MAKE) test-suite.log TEST_LOGS='$(TEST_TRACES:=.log)'
## format: rewrite the C sources as .clang-format says, with clang-format 14
format:
	cd $(srcdir) && find sync connectors mappings tests -name '*.[ch]' ! -path 'tests/fuzz/corpus/*' -exec clang-format -i {} +
.PHONY: check-quick test format lint
