// Asks the processor to fetch a line of memory that is going to be used: Swift has no such call.
#ifndef CONTINUO_PREFETCH_H
#define CONTINUO_PREFETCH_H
static inline void continuo_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }
#endif
