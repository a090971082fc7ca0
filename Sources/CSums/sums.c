#include "sums.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define CONTINUO_AVX2 __attribute__((target("avx2"), always_inline)) static inline

bool continuo_can_sum_swaps(void) { return __builtin_cpu_supports("avx2"); }

// Which bytes of two rows, side by side, are the two words: none (80) for what an offset does not have.
static const uint8_t places[7][16] = {
    {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 3, 4, 5, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 3, 0x80, 0x80, 0x80, 0x80, 4, 5, 6, 7, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 3, 4, 0x80, 0x80, 0x80, 5, 6, 7, 8, 9, 0x80, 0x80, 0x80},
    {0, 1, 2, 3, 4, 5, 0x80, 0x80, 6, 7, 8, 9, 10, 11, 0x80, 0x80},
};

struct column {
  const uint8_t *place;
  size_t width;
  __m256i bytes;
};

CONTINUO_AVX2 struct column column(struct continuo_offsets offsets, size_t first) {
  struct column column = {(const uint8_t *)offsets.start + first * offsets.width, offsets.width,
                          _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)places[offsets.width]))};
  return column;
}

// Four rows as words: of two at a time no more is read than sixteen bytes.
CONTINUO_AVX2 __m256i four(struct column column) {
  __m256i low = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)column.place));
  __m128i high = _mm_loadu_si128((const __m128i *)(column.place + 2 * column.width));
  return _mm256_shuffle_epi8(_mm256_inserti128_si256(low, high, 1), column.bytes);
}

CONTINUO_AVX2 uint64_t sum(__m256i lanes) {
  __m128i half = _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
}

struct lanes {
  __m256i usd, token, bought, sold, least, greatest;
  // Buys in the lower half of each word, sells in the upper.
  __m256i counts;
};

struct swaps {
  struct column usd, token, price, trader;
  // What the lowest two bits of a trader are, at the top of a word.
  __m256i buy, sell;
};

CONTINUO_AVX2 void add(struct lanes *lanes, const struct swaps *swaps, __m256i counted) {
  __m256i side = _mm256_slli_epi64(four(swaps->trader), 62);
  __m256i is_buy = _mm256_and_si256(_mm256_cmpeq_epi64(side, swaps->buy), counted);
  __m256i is_sell = _mm256_and_si256(_mm256_cmpeq_epi64(side, swaps->sell), counted);
  __m256i usd = four(swaps->usd), price = four(swaps->price);
  lanes->usd = _mm256_add_epi64(lanes->usd, _mm256_and_si256(usd, counted));
  lanes->token = _mm256_add_epi64(lanes->token, _mm256_and_si256(four(swaps->token), counted));
  lanes->bought = _mm256_add_epi64(lanes->bought, _mm256_and_si256(usd, is_buy));
  lanes->sold = _mm256_add_epi64(lanes->sold, _mm256_and_si256(usd, is_sell));
  lanes->counts = _mm256_sub_epi32(lanes->counts, _mm256_blend_epi32(is_buy, is_sell, 0xAA));
  // Offsets are far under 2^63: signs do not matter. A price that comes twice changes nothing.
  lanes->least = _mm256_blendv_epi8(lanes->least, price, _mm256_cmpgt_epi64(lanes->least, price));
  lanes->greatest = _mm256_blendv_epi8(lanes->greatest, price, _mm256_cmpgt_epi64(price, lanes->greatest));
}

CONTINUO_AVX2 void advance(struct swaps *swaps, ptrdiff_t rows) {
  swaps->usd.place += rows * (ptrdiff_t)swaps->usd.width;
  swaps->token.place += rows * (ptrdiff_t)swaps->token.width;
  swaps->price.place += rows * (ptrdiff_t)swaps->price.width;
  swaps->trader.place += rows * (ptrdiff_t)swaps->trader.width;
}

__attribute__((target("avx2"))) struct continuo_swap_sums continuo_sum_swaps(
    const struct continuo_swaps *from, size_t first, size_t end) {
  struct swaps swaps = {column(from->usd, first), column(from->token, first), column(from->price, first),
                        column(from->trader, first),
                        _mm256_set1_epi64x((int64_t)(from->buy << 62)), _mm256_set1_epi64x((int64_t)(from->sell << 62))};
  __m256i none = _mm256_setzero_si256();
  struct lanes lanes = {none, none, none, none, _mm256_set1_epi64x(INT64_MAX), none, none};
  size_t left = end - first;
  for (; left >= 4; left -= 4) {
    add(&lanes, &swaps, _mm256_set1_epi64x(-1));
    advance(&swaps, 4);
  }
  if (left > 0) {
    // The last four rows again, and of these the first ones not counted.
    advance(&swaps, (ptrdiff_t)left - 4);
    add(&lanes, &swaps,
        _mm256_cmpgt_epi64(_mm256_setr_epi64x(0, 1, 2, 3), _mm256_set1_epi64x(3 - (int64_t)left)));
  }
  uint64_t least[4], greatest[4];
  _mm256_storeu_si256((__m256i *)least, lanes.least);
  _mm256_storeu_si256((__m256i *)greatest, lanes.greatest);
  uint64_t counts = sum(lanes.counts);
  struct continuo_swap_sums sums = {sum(lanes.usd),   sum(lanes.token), sum(lanes.bought), sum(lanes.sold),
                                    (uint32_t)counts, counts >> 32,     least[0],          greatest[0]};
  for (int lane = 1; lane < 4; lane++) {
    if (least[lane] < sums.least_price) sums.least_price = least[lane];
    if (greatest[lane] > sums.greatest_price) sums.greatest_price = greatest[lane];
  }
  return sums;
}

#else

bool continuo_can_sum_swaps(void) { return false; }

struct continuo_swap_sums continuo_sum_swaps(const struct continuo_swaps *swaps, size_t first, size_t end) {
  __builtin_trap();
}

#endif
