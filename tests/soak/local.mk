# make soak [N=1000000] [SOAK='--cycles 10000 --seed 1']: what takes too long for every change. Hours, and gigabytes of
# /tmp; the seeds are printed.
SOAKS = tests/soak/long_list.test tests/soak/pg_million.test
EXTRA_DIST += $(SOAKS) tests/soak/hammer.py tests/soak/table.py tests/soak/workspace.py tests/soak/nights.py tests/soak/drift.py tests/soak/plans.py tests/soak/people_table.py tests/soak/deaths.py tests/soak/answers.py tests/soak/company.py tests/harness/lab.py tests/harness/hell.py tests/harness/wire.py \
	tests/cases/state/v1/state.sql tests/cases/state/v1/journal.sql tests/cases/state/v1/store
## soak: what takes hours; N= and SOAK= choose how much
soak: leadsync $(FAULT_OBJECTS)
	for story in $(SOAKS); do \
		srcdir=$(srcdir) builddir=. LEADSYNC=./leadsync bash $(srcdir)/$$story || exit 1; done
	python3 $(srcdir)/tests/soak/deaths.py --program ./leadsync --failio tests/harness/failio.so --power 8
	python3 $(srcdir)/tests/soak/deaths.py --program ./leadsync --failio tests/harness/failio.so --old $(srcdir)/tests/cases/state/v1
	python3 $(srcdir)/tests/soak/answers.py --program ./leadsync
	python3 $(srcdir)/tests/soak/drift.py --program ./leadsync --worlds 1000
	python3 $(srcdir)/tests/soak/plans.py --program ./leadsync --worlds 1000
	python3 $(srcdir)/tests/soak/company.py --program ./leadsync --clockjump tests/harness/clockjump.so --nights 1000
	srcdir=$(srcdir) LEADSYNC=./leadsync NIGHTS=2000 bash $(srcdir)/tests/cli/pg_week.test
	python3 $(srcdir)/tests/soak/hammer.py --program ./leadsync $(SOAK)
.PHONY: soak
