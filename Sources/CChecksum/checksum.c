// CRC-32C: the polynomial of iSCSI (RFC 3720, section 12.1), bits reversed.
#include "checksum.h"
#include <string.h>

uint32_t continuo_crc32c_by_bytes(uint32_t crc, const void *start, size_t bytes) {
  const uint8_t *next = start;
  crc = ~crc;
  while (bytes-- > 0) {
    crc ^= *next++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_words(uint32_t crc, const void *start, size_t bytes) {
  const uint8_t *next = start;
  uint64_t sum = ~crc;
  for (; bytes >= 8; bytes -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    sum = _mm_crc32_u64(sum, word);
  }
  for (; bytes > 0; bytes--) sum = _mm_crc32_u8((uint32_t)sum, *next++);
  return ~(uint32_t)sum;
}

uint32_t continuo_crc32c(uint32_t crc, const void *start, size_t bytes) {
  return __builtin_cpu_supports("sse4.2") ? by_words(crc, start, bytes) : continuo_crc32c_by_bytes(crc, start, bytes);
}
#else
uint32_t continuo_crc32c(uint32_t crc, const void *start, size_t bytes) {
  return continuo_crc32c_by_bytes(crc, start, bytes);
}
#endif
