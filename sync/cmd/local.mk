noinst_LIBRARIES += sync/libcmd.a
sync_libcmd_a_SOURCES =
