# Man pages, guides, shell completion.
dist_man_MANS += docs/leadsync.1
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = docs/leadsync.bash
dist_doc_DATA = \
	docs/API-FACTS.md \
	docs/DESIGN.md \
	docs/ERRORS.md \
	docs/MAPPING.md \
	docs/STATE.md
