// A call to the file system that Swift does not see.
#ifndef CONTINUO_DISK_H
#define CONTINUO_DISK_H
#include <stdint.h>

// Hands written bytes of a file to the disk and waits until it has them; makes nothing last. 0, or -1 with errno. Where a
// system or a file system has no such call nothing is done.
int continuo_write_out(int descriptor, int64_t start, int64_t bytes);
#endif
