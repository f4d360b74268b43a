# A line of a file as a C string of its own, in an array that local.mk begins and ends.
s/[\\"]/\\&/g
s/?/\\?/g
s/^/    "/
s/$/\\n",/
