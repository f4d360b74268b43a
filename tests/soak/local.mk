# make soak [N=1000000] [SOAK='--cycles 10000 --seed 1']: what takes too long for every change. Hours, and gigabytes of
# /tmp; the seeds are printed.
SOAKS = tests/soak/long_list.test tests/soak/pg_million.test
EXTRA_DIST += $(SOAKS) tests/soak/hammer.py tests/soak/deaths.py tests/harness/lab.py
soak: leadsync
	for story in $(SOAKS); do \
		srcdir=$(srcdir) builddir=. LEADSYNC=./leadsync bash $(srcdir)/$$story || exit 1; done
	python3 $(srcdir)/tests/soak/hammer.py --program ./leadsync $(SOAK)
.PHONY: soak
