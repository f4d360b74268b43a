# Edits by hand: the leads that a command names, and the writes it asks for.
noinst_LIBRARIES += sync/libleads.a
sync_libleads_a_SOURCES = \
	sync/leads/lead_edit.c sync/leads/lead_edit.h \
	sync/leads/lead_edit_add.c \
	sync/leads/lead_edit_delete.c \
	sync/leads/lead_edit_find.c \
	sync/leads/lead_edit_int.h \
	sync/leads/lead_edit_move.c \
	sync/leads/lead_edit_one_shot.c \
	sync/leads/lead_edit_patch.c \
	sync/leads/lead_edit_people.c \
	sync/leads/lead_edit_run.c \
	sync/leads/lead_edit_state.c \
	sync/leads/lead_edit_upload.c
EXTRA_DIST += \
	sync/leads/README.md
