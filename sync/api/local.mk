noinst_LIBRARIES += sync/libapi.a
sync_libapi_a_SOURCES =
