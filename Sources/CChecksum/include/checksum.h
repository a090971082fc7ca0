// CRC-32C (Castagnoli), by the processor's own instruction where it has one: Swift has no way to ask for it.
#ifndef CONTINUO_CHECKSUM_H
#define CONTINUO_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

// Takes `bytes` more in; begins with 0.
uint32_t continuo_crc32c(uint32_t crc, const void *start, size_t bytes);
// The same, a byte at a time: what the other is held against.
uint32_t continuo_crc32c_by_bytes(uint32_t crc, const void *start, size_t bytes);
#endif
