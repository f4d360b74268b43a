# One library per room; each room lists its own sources.
include sync/base/local.mk
include sync/model/local.mk
include sync/state/local.mk
include sync/api/local.mk
include sync/sandbox/local.mk
include sync/engine/local.mk
include sync/cmd/local.mk

leadsync_SOURCES = sync/main.c
leadsync_LDADD = $(LEVEL_CMD)
