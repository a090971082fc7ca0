#define _GNU_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>

int continuo_write_out(int descriptor, int64_t start, int64_t bytes) {
#ifdef SYNC_FILE_RANGE_WRITE
  int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  int answer = sync_file_range(descriptor, start, bytes, all);
  // Not everywhere; a write that failed is told once, so it is told here.
  if (answer == 0 || (errno != ENOSYS && errno != EINVAL && errno != ESPIPE && errno != EOPNOTSUPP)) return answer;
#endif
  return 0;
}
