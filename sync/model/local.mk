noinst_LIBRARIES += sync/libmodel.a
sync_libmodel_a_SOURCES = \
	sync/model/change.c sync/model/change.h \
	sync/model/engagement.c sync/model/engagement.h \
	sync/model/entry.c sync/model/entry.h \
	sync/model/lead.c sync/model/lead.h sync/model/lead_fields.def \
	sync/model/lead_status.c sync/model/lead_status.h \
	sync/model/match.c sync/model/match.h \
	sync/model/reason.c sync/model/reason.h \
	sync/model/row.c sync/model/row.h \
	sync/model/source_spec.h \
	sync/model/target.c sync/model/target.h
EXTRA_DIST += \
	sync/model/README.md
