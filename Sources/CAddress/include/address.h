// Forty hexadecimal digits as twenty bytes, sixteen digits at a time: Swift compares vectors byte by byte.
#ifndef CONTINUO_ADDRESS_H
#define CONTINUO_ADDRESS_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct continuo_address {
  // The bytes that the digits spell, the first one lowest: eight, eight and four.
  uint64_t first, second, last;
  // Whether there is nothing else than digits; if so, whether one is not zero, and whether one is a capital letter.
  bool are_digits, have_value, have_capitals;
};

typedef uint8_t continuo_bytes __attribute__((vector_size(16)));
typedef uint16_t continuo_pairs __attribute__((vector_size(16)));
typedef uint8_t continuo_half __attribute__((vector_size(8)));

struct continuo_digits {
  continuo_bytes others, values, capitals;
};

// Takes sixteen digits in, and gives back the eight bytes that they spell, the first one lowest.
static inline uint64_t continuo_look(struct continuo_digits *seen, const uint8_t *digits) {
  continuo_bytes text;
  memcpy(&text, digits, sizeof text);
  continuo_bytes number = text - '0', letter = (text | 0x20) - 'a';
  // All bits of a byte, or none.
  continuo_bytes is_number = (continuo_bytes)(number < 10), is_letter = (continuo_bytes)(letter < 6);
  seen->others |= ~(is_number | is_letter);
  seen->values |= number;
  seen->capitals |= is_letter & ~text;
  continuo_pairs pairs = (continuo_pairs)((text & 15) + (is_letter & 9));
  continuo_half bytes = __builtin_convertvector((pairs << 4 | pairs >> 8) & 255, continuo_half);
  uint64_t word;
  memcpy(&word, &bytes, sizeof word);
  return word;
}

static inline uint64_t continuo_any(continuo_bytes bytes) {
  uint64_t words[2];
  memcpy(words, &bytes, sizeof words);
  return words[0] | words[1];
}

// Reads forty bytes.
static inline struct continuo_address continuo_address(const void *text) {
  const uint8_t *digits = text;
  struct continuo_digits seen = {0};
  struct continuo_address address;
  address.first = continuo_look(&seen, digits);
  address.second = continuo_look(&seen, digits + 16);
  // Eight that were seen, and the last eight.
  address.last = continuo_look(&seen, digits + 24) >> 32;
  address.are_digits = continuo_any(seen.others) == 0;
  address.have_value = continuo_any(seen.values) != 0;
  address.have_capitals = (continuo_any(seen.capitals) & 0x2020202020202020) != 0;
  return address;
}
#endif
