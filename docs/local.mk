# Man pages, guides, shell completion.
dist_man_MANS += docs/leadsync.1
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = docs/leadsync.bash
dist_doc_DATA = \
	LICENSE \
	docs/API-FACTS.md \
	docs/AUDIT.md \
	docs/CRON.md \
	docs/OPERATIONS.md \
	docs/DESIGN.md \
	docs/DIFF.md \
	docs/ERRORS.md \
	docs/LICENSES.md \
	docs/MAPPING.md \
	docs/PAGES.md \
	docs/page-diff.png \
	docs/page-list.png \
	docs/page-run.png \
	docs/POSTGRES.md \
	docs/PULL.md \
	docs/RELIABILITY.md \
	docs/STATE.md \
	docs/PLANS.md docs/VERIFY.md \
	docs/WRITES.md
exampledir = $(docdir)/examples
dist_example_DATA = \
	docs/examples/leadsync.cron \
	docs/examples/leadsync.rules.yml \
	docs/examples/leadsync.sysusers \
	docs/examples/leadsync.tmpfiles \
	docs/examples/leadsync@.service \
	docs/examples/leadsync@.timer
