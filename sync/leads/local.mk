# Edits by hand: the leads that a command names, and the writes it asks for.
noinst_LIBRARIES += sync/libleads.a
sync_libleads_a_SOURCES = \
	sync/leads/hand.c sync/leads/hand.h \
	sync/leads/hand_add.c \
	sync/leads/hand_assign.c \
	sync/leads/hand_delete.c \
	sync/leads/hand_find.c \
	sync/leads/hand_int.h \
	sync/leads/hand_move.c \
	sync/leads/hand_people.c \
	sync/leads/hand_run.c \
	sync/leads/hand_state.c \
	sync/leads/hand_write.c
EXTRA_DIST += \
	sync/leads/README.md
