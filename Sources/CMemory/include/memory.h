// What Swift has no call for: asking the processor for a line of memory, comparing bytes by words, large pages.
#ifndef CONTINUO_MEMORY_H
#define CONTINUO_MEMORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static inline void continuo_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

static inline bool continuo_equal(const void *one, const void *other, size_t bytes) {
  return memcmp(one, other, bytes) == 0;
}

// Fresh, zeroed memory, aligned to `alignment` (a power of two, a page at least); in large pages where the system has
// them and there is room for one. NULL where there is none to be had.
static inline void *continuo_map(size_t bytes, size_t alignment) {
  size_t wanted = bytes + alignment;
  char *start = (char *)mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == (char *)MAP_FAILED) return NULL;
  size_t before = (alignment - (uintptr_t)start % alignment) % alignment;
  if (before > 0) munmap(start, before);
  size_t behind = wanted - before - bytes;
  if (behind > 0) munmap(start + before + bytes, behind);
#ifdef MADV_HUGEPAGE
  if (bytes >= 2u << 20) madvise(start + before, bytes, MADV_HUGEPAGE);
#endif
  return start + before;
}

static inline void continuo_unmap(void *start, size_t bytes) { munmap(start, bytes); }
#endif
