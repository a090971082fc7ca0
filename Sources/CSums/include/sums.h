// Adds up packed swaps four at a time, on processors that can: Swift has no way to ask what the processor can.
#ifndef CONTINUO_SUMS_H
#define CONTINUO_SUMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A column of offsets of `width` bytes each, 0 to 6; sixteen bytes behind the last one can be read.
struct continuo_offsets {
  const void *start;
  size_t width;
};

// Which swaps are added up: their columns; what the lowest two bits of a trader are of a buy, and of a sell.
struct continuo_swaps {
  struct continuo_offsets usd, token, price, trader;
  uint64_t buy, sell;
};

struct continuo_swap_sums {
  uint64_t usd, token, usd_bought, usd_sold;
  uint64_t buys, sells;
  uint64_t least_price, greatest_price;
};

// Whether the processor can.
bool continuo_can_sum_swaps(void);

// Of the rows `first` to `end`, four at least, fewer than 2^15.
struct continuo_swap_sums continuo_sum_swaps(const struct continuo_swaps *swaps, size_t first, size_t end);
#endif
