# What tests share: faults by LD_PRELOAD. Shared objects are made by hand, since libtool would serve them alone.
FAULT_OBJECTS = tests/harness/failmalloc.so tests/harness/failio.so tests/harness/clockjump.so tests/harness/hearlog.so
check_DATA = $(FAULT_OBJECTS)
CLEANFILES += $(FAULT_OBJECTS)
EXTRA_DIST += tests/harness/failmalloc.c tests/harness/failio.c tests/harness/powercut.h tests/harness/clockjump.c tests/harness/hearlog.c tests/harness/faults.sh tests/harness/faults.test
FAULT_BUILD = $(AM_V_CC)$(MKDIR_P) tests/harness && $(CC) $(CPPFLAGS) $(WARN_CFLAGS) $(CFLAGS) -fPIC -shared -o $@
tests/harness/failmalloc.so: $(top_srcdir)/tests/harness/failmalloc.c
	$(FAULT_BUILD) $(top_srcdir)/tests/harness/failmalloc.c
tests/harness/failio.so: $(top_srcdir)/tests/harness/failio.c $(top_srcdir)/tests/harness/powercut.h
	$(FAULT_BUILD) $(top_srcdir)/tests/harness/failio.c
tests/harness/clockjump.so: $(top_srcdir)/tests/harness/clockjump.c
	$(FAULT_BUILD) $(top_srcdir)/tests/harness/clockjump.c
tests/harness/hearlog.so: $(top_srcdir)/tests/harness/hearlog.c
	$(FAULT_BUILD) $(top_srcdir)/tests/harness/hearlog.c

check_PROGRAMS += tests/harness/victim
tests_harness_victim_SOURCES = tests/harness/victim.c
tests_harness_victim_LDADD = $(LEVEL_MODEL)
TESTS += tests/harness/faults.test
