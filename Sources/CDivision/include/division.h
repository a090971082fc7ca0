// Divides two words by one in a single instruction: Swift goes through a routine that does not know that one is enough.
#ifndef CONTINUO_DIVISION_H
#define CONTINUO_DIVISION_H
#include <stdint.h>
struct continuo_division {
  uint64_t quotient, remainder;
};
// `high` must be under `divisor`, else the quotient needs more than a word and the processor traps.
static inline struct continuo_division continuo_divide(uint64_t high, uint64_t low, uint64_t divisor) {
  struct continuo_division result;
#if defined(__x86_64__)
  __asm__("divq %4" : "=a"(result.quotient), "=d"(result.remainder) : "a"(low), "d"(high), "r"(divisor) : "cc");
#else
  unsigned __int128 value = (unsigned __int128)high << 64 | low;
  result.quotient = (uint64_t)(value / divisor);
  result.remainder = (uint64_t)(value % divisor);
#endif
  return result;
}
#endif
