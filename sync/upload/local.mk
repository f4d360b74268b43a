# From a planned operation to a proven outcome.
noinst_LIBRARIES += sync/libupload.a
sync_libupload_a_SOURCES = \
	sync/upload/group.c \
	sync/upload/held_ids.c sync/upload/held_ids.h \
	sync/upload/missing_target.c sync/upload/missing_target.h \
	sync/upload/refused_alike.c sync/upload/refused_alike.h \
	sync/upload/upload.c sync/upload/upload.h \
	sync/upload/upload_open.c \
	sync/upload/work.c sync/upload/work.h \
	sync/upload/work_wait.c \
	sync/upload/ops/create.c \
	sync/upload/ops/create_refused.c \
	sync/upload/ops/move.c sync/upload/ops/move.h \
	sync/upload/ops/remove.c \
	sync/upload/ops/update.c \
	sync/upload/ops/verify.c \
	sync/upload/proof/address_list.c \
	sync/upload/proof/create_proof.c \
	sync/upload/proof/job_find.c \
	sync/upload/proof/jobs.c \
	sync/upload/proof/keyed.c \
	sync/upload/proof/lead_match.c \
	sync/upload/proof/look.c \
	sync/upload/proof/move_look.c \
	sync/upload/proof/readback.c \
	sync/upload/proof/rekey.c \
	sync/upload/proof/rekey_look.c
EXTRA_DIST += \
	sync/upload/README.md \
	sync/upload/ops/README.md \
	sync/upload/proof/README.md
