# One library per room; each room lists its own sources.
include sync/base/local.mk
include sync/model/local.mk
include sync/state/local.mk
include sync/api/local.mk
include sync/sandbox/local.mk
include sync/report/local.mk
include sync/planfile/local.mk
include sync/plan/local.mk
include sync/compare/local.mk
include sync/upload/local.mk
include sync/pipeline/local.mk
include sync/preflight/local.mk
include sync/leads/local.mk
include sync/cli/local.mk

leadsync_SOURCES = sync/main.c
leadsync_LDADD = $(LEVEL_CLI)
