noinst_LIBRARIES += sync/libsandbox.a
sync_libsandbox_a_SOURCES = \
	sync/sandbox/sandbox.c sync/sandbox/sandbox.h \
	sync/sandbox/endpoints/account.c \
	sync/sandbox/endpoints/add.c \
	sync/sandbox/endpoints/control.c sync/sandbox/endpoints/control.h \
	sync/sandbox/endpoints/control_leads.c \
	sync/sandbox/endpoints/dump.c \
	sync/sandbox/endpoints/jobs.c \
	sync/sandbox/endpoints/leads.c \
	sync/sandbox/endpoints/many.c \
	sync/sandbox/endpoints/move.c sync/sandbox/endpoints/move.h \
	sync/sandbox/endpoints/places.c \
	sync/sandbox/endpoints/select.c sync/sandbox/endpoints/select.h \
	sync/sandbox/server/check.c sync/sandbox/server/check.h \
	sync/sandbox/world/faults.c sync/sandbox/world/faults.h \
	sync/sandbox/server/http.c sync/sandbox/server/http.h \
	sync/sandbox/world/json.c sync/sandbox/world/json.h \
	sync/sandbox/world/request_log.c sync/sandbox/world/request_log.h \
	sync/sandbox/server/route.c sync/sandbox/server/route.h \
	sync/sandbox/server/server.c sync/sandbox/server/server.h \
	sync/sandbox/server/shapes.c \
	sync/sandbox/world/window.c sync/sandbox/world/window.h \
	sync/sandbox/server/wire.c sync/sandbox/server/wire.h \
	sync/sandbox/world/jobs.c sync/sandbox/world/jobs.h \
	sync/sandbox/world/lead.c sync/sandbox/world/lead.h \
	sync/sandbox/world/store.c sync/sandbox/world/store.h \
	sync/sandbox/world/table.c sync/sandbox/world/table.h \
	sync/sandbox/world/world.c sync/sandbox/world/world.h
EXTRA_DIST += \
	sync/sandbox/README.md \
	sync/sandbox/endpoints/README.md \
	sync/sandbox/server/README.md \
	sync/sandbox/world/README.md
