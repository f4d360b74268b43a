noinst_LIBRARIES += sync/libmodel.a
sync_libmodel_a_SOURCES =
