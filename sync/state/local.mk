noinst_LIBRARIES += sync/libstate.a
sync_libstate_a_SOURCES =
