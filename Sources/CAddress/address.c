// Forty digits of an address: all of it is in the header, this file is what makes it a target.
#include "address.h"
