// What the module CLZ4 shows: liblz4 and its frame format, as the system has them.
#include <lz4.h>
#include <lz4frame.h>
