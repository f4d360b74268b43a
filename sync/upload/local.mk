# From a planned operation to a proven outcome.
noinst_LIBRARIES += sync/libupload.a
sync_libupload_a_SOURCES = \
	sync/upload/batch_entry.c \
	sync/upload/collect.c \
	sync/upload/cost.c sync/upload/cost.h \
	sync/upload/recover.c \
	sync/upload/slice.c \
	sync/upload/ops/assign.c \
	sync/upload/ops/create.c \
	sync/upload/ops/create_answer.c \
	sync/upload/ops/create_refused.c \
	sync/upload/ops/interest.c \
	sync/upload/ops/merge.c \
	sync/upload/ops/move.c \
	sync/upload/ops/move_check.c \
	sync/upload/ops/one_shot.c \
	sync/upload/ops/rekey_check.c \
	sync/upload/ops/remove.c \
	sync/upload/ops/subsequence.c \
	sync/upload/ops/update.c \
	sync/upload/ops/update_unread.c \
	sync/upload/ops/verify.c \
	sync/upload/proof/address_list.c \
	sync/upload/proof/copy_proof.c \
	sync/upload/proof/create_proof.c \
	sync/upload/proof/job_find.c \
	sync/upload/proof/lead_match.c \
	sync/upload/proof/lead_read.c \
	sync/upload/proof/lead_scan.c \
	sync/upload/proof/location.c \
	sync/upload/proof/move_proof.c \
	sync/upload/proof/one_shot_proof.c \
	sync/upload/proof/proof.h \
	sync/upload/proof/rekey.c \
	sync/upload/proof/remove_proof.c \
	sync/upload/proof/update_proof.c \
	sync/upload/proof/wanted_lead.c \
	sync/upload/batch.c sync/upload/batch.h \
	sync/upload/held_ids.c sync/upload/held_ids.h \
	sync/upload/missing_target.c sync/upload/missing_target.h \
	sync/upload/refused_alike.c sync/upload/refused_alike.h \
	sync/upload/ops/operation.c sync/upload/operation.h \
	sync/upload/proof/jobs.c sync/upload/proof/jobs.h \
	sync/upload/upload.c sync/upload/upload.h sync/upload/upload_int.h
EXTRA_DIST += \
	sync/upload/README.md \
	sync/upload/ops/README.md \
	sync/upload/proof/README.md
