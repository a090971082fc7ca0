#define _GNU_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>

int continuo_write_out(int descriptor, int64_t start, int64_t bytes) {
#ifdef SYNC_FILE_RANGE_WRITE
  int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  int answer = sync_file_range(descriptor, start, bytes, all);
  // Not there, or not allowed, everywhere; a write that failed is told once, so it is told here.
  int isMissing = errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == ESPIPE || errno == EOPNOTSUPP;
  if (answer == 0 || !isMissing) return answer;
#endif
  return 0;
}
