// Nothing to compile: everything is inline in heap.h; a target needs a source.
