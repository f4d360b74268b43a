noinst_LIBRARIES += sync/libsandbox.a
sync_libsandbox_a_SOURCES = \
	sync/sandbox/sandbox.h sync/sandbox/sandbox.c \
	sync/sandbox/server.h sync/sandbox/server.c \
	sync/sandbox/wire.h sync/sandbox/wire.c \
	sync/sandbox/http.h sync/sandbox/http.c \
	sync/sandbox/route.h sync/sandbox/route.c \
	sync/sandbox/check.h sync/sandbox/check.c sync/sandbox/shapes.c \
	sync/sandbox/json.h sync/sandbox/json.c \
	sync/sandbox/world.h sync/sandbox/world.c \
	sync/sandbox/table.h sync/sandbox/table.c \
	sync/sandbox/lead.h sync/sandbox/lead.c \
	sync/sandbox/select.h sync/sandbox/select.c \
	sync/sandbox/add.c sync/sandbox/leads.c sync/sandbox/many.c \
	sync/sandbox/jobs.h sync/sandbox/jobs.c sync/sandbox/move.c \
	sync/sandbox/places.c sync/sandbox/account.c \
	sync/sandbox/faults.h sync/sandbox/faults.c \
	sync/sandbox/window.h sync/sandbox/window.c \
	sync/sandbox/ring.h sync/sandbox/ring.c \
	sync/sandbox/store.h sync/sandbox/store.c \
	sync/sandbox/control.c sync/sandbox/dump.c
