// Marks the bytes that split a text, sixty-four at a time: Swift has no way from sixteen comparisons to sixteen bits.
#ifndef CONTINUO_MARKS_H
#define CONTINUO_MARKS_H
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Each answers a bit for each of 64 bytes from `place`, the first one lowest.

// A comma, a quote or a line feed.
static inline uint64_t continuo_csv_marks(const uint8_t *place) {
  uint64_t marks = 0;
#if defined(__SSE2__)
  const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'), feed = _mm_set1_epi8('\n');
  for (int part = 0; part < 4; part++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(place + 16 * part));
    __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, quote)),
                                 _mm_cmpeq_epi8(bytes, feed));
    marks |= (uint64_t)(uint16_t)_mm_movemask_epi8(found) << (16 * part);
  }
#else
  for (int index = 0; index < 64; index++)
    marks |= (uint64_t)(place[index] == ',' || place[index] == '"' || place[index] == '\n') << index;
#endif
  return marks;
}

// A quote, a backslash or a control character.
static inline uint64_t continuo_json_marks(const uint8_t *place) {
  uint64_t marks = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
  for (int part = 0; part < 4; part++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(place + 16 * part));
    __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, back)),
                                 _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
    marks |= (uint64_t)(uint16_t)_mm_movemask_epi8(found) << (16 * part);
  }
#else
  for (int index = 0; index < 64; index++)
    marks |= (uint64_t)(place[index] == '"' || place[index] == '\\' || place[index] < 0x20) << index;
#endif
  return marks;
}

// One byte.
static inline uint64_t continuo_byte_marks(const uint8_t *place, uint8_t byte) {
  uint64_t marks = 0;
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8((char)byte);
  for (int part = 0; part < 4; part++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(place + 16 * part));
    marks |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)) << (16 * part);
  }
#else
  for (int index = 0; index < 64; index++) marks |= (uint64_t)(place[index] == byte) << index;
#endif
  return marks;
}
#endif
