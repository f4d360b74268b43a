# make soak [N=1000000]: what takes too long for every change. Minutes, and gigabytes of /tmp.
SOAKS = tests/soak/pg_million.test
EXTRA_DIST += $(SOAKS)
soak: leadsync
	for story in $(SOAKS); do \
		srcdir=$(srcdir) builddir=. LEADSYNC=./leadsync bash $(srcdir)/$$story || exit 1; done
.PHONY: soak
