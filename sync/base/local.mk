noinst_LIBRARIES += sync/libbase.a
sync_libbase_a_SOURCES =
