// Asks the allocator to give back what it keeps for later: Swift's Glibc module does not show malloc.h.
#ifndef CONTINUO_HEAP_H
#define CONTINUO_HEAP_H
#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
static inline void continuo_trim_heap(void) { malloc_trim(0); }
#else
static inline void continuo_trim_heap(void) {}
#endif
#endif
