// What the module CZlib shows: zlib, as the system has it.
#include <zlib.h>
